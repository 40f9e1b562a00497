using System.Diagnostics;
using System.Globalization;

namespace Crashcart.Audit.Tests;

/// <summary>A file system that is soon full: a tmpfs of its own.</summary>
internal sealed class SmallDisk : IDisposable
{
    public SmallDisk(string parent, int kibibytes)
    {
        Path = System.IO.Path.Combine(parent, "disk");
        Directory.CreateDirectory(Path);
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kibibytes}k"), "tmpfs", Path);
    }

    public string Path { get; }

    /// <summary>Takes all the room that is left.</summary>
    public static void Fill(string file)
    {
        using FileStream filler = File.Create(file, bufferSize: 0);
        try
        {
            while (true)
                filler.Write(new byte[1024]);
        }
        catch (IOException)
        {
        }
    }

    public void Dispose() => Run("umount", "--lazy", Path);

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }
}
