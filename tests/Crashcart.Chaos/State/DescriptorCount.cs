namespace Crashcart.Chaos.State;

/// <summary>
/// The open descriptors of one daemon by kind. The first rounds of its life show what it needs; more than that later on
/// is a leak.
/// </summary>
internal sealed class DescriptorCount(int pid)
{
    private const int WarmUpRounds = 8;

    /// <summary>Of whichever process: a container that was started again has another.</summary>
    private const string ProcessDirectory = "/proc/PID";

    private readonly Dictionary<string, int> _most = [];
    private int _rounds;

    public int Pid => pid;

    /// <summary>What is beyond what it had; call it again until it is empty, or time is over.</summary>
    public IReadOnlyList<string> Excess() => _rounds < WarmUpRounds
        ? []
        :
        [
            .. from kind in Read(pid)
                let usual = _most.GetValueOrDefault(kind.Key)
                where kind.Value > usual + Slack(kind.Key)
                select $"descriptors of process {pid}: {kind.Value} of {kind.Key}, {usual} in its first {WarmUpRounds} rounds{Processes(kind.Key)}",
        ];

    /// <summary>Counts a round that is over.</summary>
    public void Settle()
    {
        if (++_rounds > WarmUpRounds)
            return;
        foreach (var (kind, count) in Read(pid))
            _most[kind] = Math.Max(_most.GetValueOrDefault(kind), count);
    }

    /// <summary>Which processes the pidfds are of.</summary>
    private string Processes(string kind) => kind != "[pidfd]" ? "" : "; of " + string.Join(", ",
        from descriptor in Directory.GetFileSystemEntries($"/proc/{pid}/fd")
        where Kind(descriptor) == kind
        from line in File.ReadLines($"/proc/{pid}/fdinfo/{Path.GetFileName(descriptor)}")
        where line.StartsWith("Pid:", StringComparison.Ordinal)
        select line["Pid:".Length..].Trim());

    /// <summary>
    /// Connections are pooled and reopened as the other sides come and go. A node keeps a container's process open once more
    /// from the first shared mount in it until the container ends, and once more for who holds the mount: up to a minute longer
    /// when it was unmounted without the node.
    /// </summary>
    private static int Slack(string kind) => kind switch
    {
        "socket" or "pipe" => 24,
        "[pidfd]" or "/" or ProcessDirectory => 5,
        _ => 2,
    };

    /// <summary>The open descriptors of a process by kind.</summary>
    public static Dictionary<string, int> Read(int pid)
    {
        var counts = new Dictionary<string, int>();
        var program = new FileInfo($"/proc/{pid}/exe").LinkTarget;
        string[] descriptors;
        try
        {
            descriptors = Directory.GetFileSystemEntries($"/proc/{pid}/fd");
        }
        catch (IOException)
        {
            return counts;
        }
        foreach (var descriptor in descriptors)
        {
            var kind = Kind(descriptor);
            // The runtime opens the program again for each part of itself that it comes to need.
            if (kind == program)
                continue;
            counts[kind] = counts.GetValueOrDefault(kind) + 1;
        }
        return counts;
    }

    private static string Kind(string descriptor)
    {
        try
        {
            var target = new FileInfo(descriptor).LinkTarget ?? "";
            if (target.StartsWith("/memfd:", StringComparison.Ordinal))
                return "memfd";
            if (target.StartsWith("/proc/", StringComparison.Ordinal) && target["/proc/".Length..].All(char.IsAsciiDigit))
                return ProcessDirectory;
            return target.StartsWith('/') ? target
                : target.Split(':', 2) is ["anon_inode", var detail] ? detail : target.Split(':')[0];
        }
        catch (IOException)
        {
            return "gone";
        }
    }
}
