using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>Tar archives on standard input and output, as they are.</summary>
internal static class StreamCopy
{
    /// <returns>tar's own exit status.</returns>
    public static Task<int> OutOfAsync(ICopyHost host, CopyOperand from, ContainerFile file) =>
        RunAsync(words => host.RunAsync(ContainerTools.Read(file), input: null, StandardStream.Output, words), from);

    /// <summary>Unpacks it into a directory that is there.</summary>
    public static Task<int> IntoAsync(ICopyHost host, CopyOperand to, ContainerFile place, bool keepOwners) => RunAsync(
        words => host.RunAsync(
            ContainerTools.Write(place, "", "stream", keepOwners), input => StandardStream.Input.CopyToAsync(input), Stream.Null, words),
        to);

    private static async Task<int> RunAsync(Func<ToolWords, Task<int>> run, CopyOperand operand)
    {
        var words = new ToolWords();
        var status = await run(words);
        foreach (var sentence in words.Sentences())
            StandardText.Complain(SafeText.Of($"{operand.Name}: {sentence}"));
        return status is 1 or 2 ? ExitStatus.Failed : status;
    }
}
