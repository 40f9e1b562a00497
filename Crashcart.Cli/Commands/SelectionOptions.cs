using System.CommandLine;
using Crashcart.Api;
using Crashcart.Cli.Grammar;
using Crashcart.Native;

namespace Crashcart.Cli.Commands;

/// <summary>The options that say which containers of the fleet are meant. All that are given must hold.</summary>
internal sealed class SelectionOptions
{
    private readonly Option<string[]> _label = CommonOptions.Label();
    private readonly Option<string> _node = CommonOptions.Node();

    private readonly Option<string> _name = new("--name")
    {
        HelpName = "GLOB",
        Description = "Only containers whose name matches, like 'web-*'",
    };

    private readonly Option<string> _image = new("--container-image")
    {
        HelpName = "GLOB",
        Description = "Only containers made of an image whose name matches, like 'nginx:*'",
    };

    private readonly Option<string> _runtime = new("--runtime")
    {
        HelpName = "NAME",
        Description = "Only containers of this runtime, like docker",
    };

    private readonly Option<string> _sample = new("--sample")
    {
        HelpName = "N|N%",
        Description = "So many of them, drawn by chance; the seed is told, and --seed draws the same again",
    };

    private readonly Option<string> _seed = new("--seed")
    {
        HelpName = "N",
        Description = "The seed of --sample",
    };

    private readonly Option<string> _limit = new("--limit")
    {
        HelpName = "N",
        Description = "At most so many, the first by host and name",
    };

    /// <summary>All of them.</summary>
    public void AddTo(Command command)
    {
        AddFilterTo(command);
        foreach (Option option in (Option[])[_sample, _seed, _limit])
            command.Add(option);
    }

    /// <summary>Those that hold for each container by itself.</summary>
    public void AddFilterTo(Command command)
    {
        foreach (Option option in (Option[])[_label, _node, _name, _image, _runtime])
            command.Add(option);
    }

    /// <summary>What holds for each container by itself; empty is every container.</summary>
    public Selection ReadFilter(ParseResult parsed) => new()
    {
        Selector = CommonOptions.Join(parsed.GetValue(_label)),
        Node = parsed.GetValue(_node) ?? "",
        Name = parsed.GetValue(_name) ?? "",
        Image = parsed.GetValue(_image) ?? "",
        Runtime = parsed.GetValue(_runtime) ?? "",
    };

    /// <exception cref="CrashcartException">A value makes no sense, or nothing says which containers.</exception>
    public Selection Read(ParseResult parsed)
    {
        var selection = ReadFilter(parsed);
        if (selection.Equals(new Selection()))
            throw Wrong("Which containers? Give --label SELECTOR, --name GLOB, or --node GLOB ('*' is every container of the fleet).");
        selection.Limit = parsed.GetValue(_limit) is { } limit ? Quantities.Count("--limit", limit) : 0;
        selection.Sample = parsed.GetValue(_sample) is { } sample ? Quantities.Share("--sample", sample) : null;
        if (selection.Sample is { Value: 0 })
            throw Wrong("--sample 0 is no container; give a number from 1, or a percentage.");
        if (parsed.GetValue(_seed) is { } seed)
            selection.SampleSeed = selection.Sample is null ? throw Wrong("--seed is for --sample, which is not given.") : Quantities.Count("--seed", seed);
        else if (selection.Sample is not null)
            selection.SampleSeed = (ulong)Random.Shared.Next(1, 1_000_000);
        return selection;
    }

    private static CrashcartException Wrong(string sentence) => new(FailureReason.BadRequest, sentence);
}
