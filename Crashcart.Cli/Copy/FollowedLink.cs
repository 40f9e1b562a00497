using System.Text;
using Crashcart.Cli.Output;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>Where a path in a container leads.</summary>
internal static class FollowedLink
{
    /// <returns>The file, which keeps the name that was asked for where it is copied to; or null and the exit status, when the person was told why there is none.</returns>
    public static async Task<(int Status, ContainerFile? File)> FindAsync(ICopyHost host, CopyOperand operand, ContainerFile file)
    {
        var path = new MemoryStream();
        var words = new ToolWords();
        var status = await host.RunAsync(ContainerTools.Follow(file), input: null, path, words);
        foreach (var sentence in words.Sentences())
            StandardText.Complain(SafeText.Of($"{operand.Name}: {sentence}"));
        return status switch
        {
            ExitStatus.Success => (status, ContainerFile.Parse(Encoding.UTF8.GetString(path.ToArray()).TrimEnd('\0')).RequireCopyable()),
            1 => (ExitStatus.Failed, null),
            _ => (status, null),
        };
    }
}
