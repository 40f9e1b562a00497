using Crashcart.Cli.Grammar;
using Crashcart.Cli.Output.Runs;

namespace Crashcart.Cli.Output.Capture;

/// <summary>What tcpdump writes in many containers as one pcapng, an interface for each; what it says goes on as lines.</summary>
/// <param name="open">Opens what the capture goes to, once the run has begun.</param>
/// <param name="words">For what the tools say on standard error.</param>
/// <param name="tell">Takes our own sentences.</param>
internal sealed class CaptureOutput(Func<Stream> open, IRunOutput words, Action<string> tell, TimeProvider time) : IRunOutput, IDisposable
{
    private Stream? _output;
    private PcapngWriter _writer = new(Stream.Null);
    private readonly PacketOrder _order = new();
    private readonly Dictionary<int, Source> _sources = [];

    public void Add(IReadOnlyList<TargetCourse> targets)
    {
        if (_output is null)
        {
            _writer = new PcapngWriter(_output = open());
            _writer.Begin($"crashcart {CommandLine.Version()}");
        }

        words.Add(targets);
        foreach (var target in targets)
            _sources.Add(target.Number, new Source());
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data)
    {
        if (isError)
            words.Write(target, isError, data);
        else
            Read(target, _sources[target.Number], data);
        Tick();
    }

    public void Tick()
    {
        foreach (var (from, packet) in _order.TakeDue(time.GetUtcNow()))
            _writer.Write(from, packet);
    }

    public void End(TargetCourse target) => words.End(target);

    public void Finish(RunProgress run, int status)
    {
        foreach (var (from, packet) in _order.TakeAll())
            _writer.Write(from, packet);
        words.Finish(run, status);
    }

    public void Dispose() => _output?.Dispose();

    private void Read(TargetCourse target, Source source, ReadOnlySpan<byte> data)
    {
        if (source.IsBroken)
            return;
        try
        {
            var packets = source.Stream.Read(data);
            if (source.Stream.LinkType is { } linkType)
                source.Interface ??= _writer.AddInterface(target.Name, linkType, source.Stream.SnapLength);
            foreach (var packet in packets)
                _order.Add(source.Interface!.Value, packet, time.GetUtcNow());
        }
        catch (InvalidDataException e)
        {
            source.IsBroken = true;
            tell($"crashcart: {target.Name}: what came is no capture: {e.Message}; nothing more of it is read.\n");
        }
    }

    private sealed class Source
    {
        public PcapStream Stream { get; } = new();

        public uint? Interface { get; set; }

        public bool IsBroken { get; set; }
    }
}
