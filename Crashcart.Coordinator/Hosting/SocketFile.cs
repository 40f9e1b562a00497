using System.Net.Sockets;
using Crashcart.Native;
using Crashcart.Node.Configuration;

namespace Crashcart.Coordinator.Hosting;

/// <summary>The path of a Unix socket: a leftover of a dead process gives way, a living one's does not.</summary>
internal static class SocketFile
{
    /// <summary>sun_path holds 108 bytes with the terminating zero, unix(7).</summary>
    private const int MaxPathBytes = 107;

    private const UnixFileMode DirectoryMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>Makes the way free for a listener at the path, and its directory when there is none.</summary>
    /// <param name="group">May pass through a directory that is made, and nobody else but root.</param>
    /// <exception cref="SettingsException">Another process listens there, or something else is there.</exception>
    public static void Claim(string path, uint? group)
    {
        if (System.Text.Encoding.UTF8.GetByteCount(path) > MaxPathBytes)
            throw new SettingsException($"The socket's path '{path}' is longer than {MaxPathBytes} bytes, which Unix sockets do not allow; choose a shorter one.");
        string directory = Path.GetDirectoryName(path)!;
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            File.SetUnixFileMode(directory, DirectoryMode);
            if (group is { } members)
                UnixGroup.Give(directory, members);
        }
        if (!Path.Exists(path))
            return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.ConnectionRefused && (File.GetAttributes(path) & FileAttributes.Directory) == 0)
        {
            // connect(2) refuses a plain file as well as a socket that nobody listens on; a plain file is somebody's.
            if (IsPlainFile(path))
                throw new SettingsException($"{path} is a file and no socket; remove it or choose another --socket.");
            File.Delete(path);
            return;
        }
        catch (SocketException e)
        {
            throw new SettingsException($"Cannot use {path} as socket: {e.Message}; choose another --socket.");
        }
        throw new SettingsException($"Another process listens on {path}; stop it, or choose another --socket.");
    }

    /// <summary>open(2) refuses a socket.</summary>
    private static bool IsPlainFile(string path)
    {
        try
        {
            using var file = File.OpenHandle(path);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
