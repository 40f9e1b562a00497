using Crashcart.Cli.Output;

namespace Crashcart.Cli.Copy;

/// <summary>How much of a copy is done, in one line on the person's terminal.</summary>
/// <param name="what">What is copied.</param>
/// <param name="line">Null to show nothing.</param>
internal sealed class CopyProgress(string what, StatusLine? line)
{
    private long _bytes;
    private long _files;

    public void Add(int bytes)
    {
        _bytes += bytes;
        line?.Show(Describe);
    }

    public void AddFile()
    {
        _files++;
        line?.Show(Describe);
    }

    public void Clear() => line?.Clear();

    private string Describe() => $"{what}: {ByteSize.Of(_bytes)}, {_files} file{(_files == 1 ? "" : "s")}";
}
