using System.CommandLine;

namespace Crashcart.Cli.Commands;

/// <summary>Options that mean the same in every command that has them.</summary>
internal static class CommonOptions
{
    public static Option<string> Image() => new("--image", "-i")
    {
        HelpName = "FILE",
        Description = "The toolbox image (CRASHCART_IMAGE)",
    };

    /// <summary>For what goes through the coordinator.</summary>
    public static Option<string> FleetImage() => new("--image", "-i")
    {
        HelpName = "IMAGE",
        Description = "An image of the fleet's, NAME[:TAG] or sha256:HEX; by default the one that each node was given, else toolbox:latest",
    };

    /// <summary>For what runs here or goes through the coordinator.</summary>
    public static Option<string> AnyImage() => new("--image", "-i")
    {
        HelpName = "IMAGE",
        Description = "The toolbox image: a file here (CRASHCART_IMAGE), or for NODE/CONTAINER an image of the fleet's, NAME[:TAG] or sha256:HEX",
    };

    /// <summary>Where in a container an image is mounted for all of it.</summary>
    public static Option<string> At() => new("--at")
    {
        HelpName = "PATH",
        Description = "Where in the container: /dev/crashcart (the default), or /dev/crashcart-NAME",
    };

    public static Option<bool> Detach() => new("--detach", "-d")
    {
        Description = "Print the run's id and leave it alone: the nodes keep its output for 'crashcart runs logs'",
    };

    /// <summary>For what is in the fleet's audit logs.</summary>
    public static Option<string> Reason() => new("--reason")
    {
        HelpName = "TEXT",
        Description = "What it is for, for the audit log of the fleet",
    };

    public static Option<string> Coordinator() => new("--coordinator")
    {
        HelpName = "ADDRESS",
        Description = "The coordinator: unix:///PATH, https://HOST:PORT or a context's name (CRASHCART_COORDINATOR)",
    };

    public static Option<string> Node() => new("--node")
    {
        HelpName = "GLOB",
        Description = "Only on nodes whose name matches, like 'db-*'",
    };

    public static Option<string[]> Label() => new("--label", "-l")
    {
        HelpName = "SELECTOR",
        Description = "Only containers with these labels, like app=web,tier!=db or 'env in (a,b)'; repeated, all must hold",
    };

    public static Option<string> Format() => new("--output", "-o")
    {
        HelpName = "table|json",
        Description = "How to print: table (the default) or json",
    };

    public static Option<string> WideFormat() => new("--output", "-o")
    {
        HelpName = "table|wide|json",
        Description = "How to print: table (the default), wide or json",
    };

    /// <summary>Several selectors as the one that asks for all of them.</summary>
    public static string Join(IReadOnlyList<string>? selectors) =>
        string.Join(',', (selectors ?? []).Select(selector => selector.Trim()).Where(selector => selector.Length > 0));
}
