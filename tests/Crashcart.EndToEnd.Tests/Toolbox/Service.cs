using System.Globalization;

namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A server that runs in the container while the tools are used, and is a use of a tool itself.</summary>
/// <param name="Tool">The tool that serves.</param>
/// <param name="Line">Its command line.</param>
/// <param name="Protocol"><c>tcp</c> or <c>udp</c>.</param>
/// <param name="Port">Where it listens on loopback.</param>
internal sealed record Service(string Tool, string Line, string Protocol, int Port)
{
    /// <summary>State of a TCP socket that listens, and of a UDP socket that is not connected, in /proc/net.</summary>
    private const string Listens = "0A", Unconnected = "07";

    public static readonly IReadOnlyList<Service> All =
    [
        new("openssl", "openssl s_server -accept 127.0.0.1:7443 -cert /lab/server.pem -key /lab/server.key -WWW -quiet", "tcp", 7443),
        new("socat", "socat UDP4-RECVFROM:53,bind=127.0.0.1,fork UNIX-CONNECT:/lab/dns", "udp", 53),
        new("iperf3", "iperf3 --server --bind 127.0.0.1 --port 7201", "tcp", 7201),
    ];

    /// <summary>Whether somebody listens there in the process's network namespace.</summary>
    public bool IsReady(int pid) =>
        File.ReadLines($"/proc/{pid.ToString(CultureInfo.InvariantCulture)}/net/{Protocol}")
            .Skip(1)
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(fields => fields[1] == $"0100007F:{Port:X4}" && fields[3] is Listens or Unconnected);
}
