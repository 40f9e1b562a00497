using System.Globalization;
using Crashcart.Chaos.State;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.Chaos.Fleet;

/// <summary>One of the fleet's containers; whatever happened to it, it can be made to run again.</summary>
internal sealed class Box(ChaosNode node, string name, string image, params string[] options)
{
    public ChaosNode Node => node;

    public string Name => name;

    /// <summary>Its first process reaps what is left to it (<c>docker run --init</c>).</summary>
    public bool Reaps => options.Contains("--init");

    /// <summary>What it runs below the first process, when that is docker-init; no tool of the load has that name.</summary>
    public bool IsOwn(ProcessEntry process) => Reaps && process.Parent == Pid && process.Name == "sleep";

    public string NodeAndName => $"{node.Name}/{name}";

    /// <summary>Of its first process; 0 while it does not run.</summary>
    public int Pid { get; private set; }

    public string PidText => Pid.ToString(CultureInfo.InvariantCulture);

    /// <summary>What it has written is in this directory of the host.</summary>
    public string Written { get; private set; } = "";

    public Command Docker(params string[] words) => node.Docker.Docker(words);

    /// <summary>Makes it, starts it or wakes it, whichever it needs.</summary>
    public async Task Run()
    {
        // A docker command that was under way when the daemon was killed may have changed it after we looked.
        await Eventually.Holds(TryRun, $"container {NodeAndName} runs", TimeSpan.FromSeconds(60));
    }

    private async Task<bool> TryRun()
    {
        switch (await State())
        {
            case null:
                await Docker(["run", "-d", "--name", name, "--network", "none", "--label", "app=chaos", "--stop-signal", "KILL", .. options, image]).Run();
                break;
            case "paused":
                await Docker("unpause", name).Run();
                break;
            case "running":
                return Directory.Exists($"/proc/{Pid}/root");
            default:
                await Docker("start", name).Run();
                break;
        }
        return await State() == "running";
    }

    /// <summary>As docker(1) calls it; null when there is no such container.</summary>
    private async Task<string?> State()
    {
        var looked = await Docker("inspect", "--type", "container", "-f", "{{.State.Status}} {{.State.Pid}} {{.GraphDriver.Data.UpperDir}}", name).Run();
        if (looked.ExitCode != 0)
        {
            Pid = 0;
            return null;
        }
        var fields = looked.Output.TrimEnd().Split(' ', 3);
        Pid = int.Parse(fields[1], CultureInfo.InvariantCulture);
        Written = fields[2];
        return fields[0];
    }
}
