using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Crashcart.Coordinator.Tests.Doubles;

/// <summary>Somebody who is not root: the kernel takes a peer's credentials from the thread that connects, unix(7).</summary>
internal static class OtherUser
{
    public const uint Id = 54321;

    private static readonly (int SetGroups, int SetResGid, int SetResUid) Number =
        RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? (159, 149, 147) : (116, 119, 117);

    public static Task<Socket> ConnectAsync(string path)
    {
        var connected = new TaskCompletionSource<Socket>(TaskCreationOptions.RunContinuationsAsynchronously);
        // A thread of its own, which ends as that user: the raw calls change it alone, not the process.
        new Thread(() =>
        {
            try
            {
                Become();
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                socket.Connect(new UnixDomainSocketEndPoint(path));
                connected.SetResult(socket);
            }
            catch (Exception e)
            {
                connected.SetException(e);
            }
        }).Start();
        return connected.Task;
    }

    private static void Become()
    {
        Assert.Equal(0, Call(Number.SetGroups, 0, 0, 0));
        Assert.Equal(0, Call(Number.SetResGid, (int)Id, (int)Id, (int)Id));
        Assert.Equal(0, Call(Number.SetResUid, (int)Id, (int)Id, (int)Id));
    }

    [DllImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static extern long Call(long number, nint a, nint b, nint c);
}
