namespace Crashcart.Cli.Output.Runs;

/// <summary>Exact bytes, and nothing else; those of several targets as they come.</summary>
internal sealed class RawOutput(Stream output, Stream error) : IRunOutput
{
    public void Add(IReadOnlyList<TargetCourse> targets)
    {
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data) => (isError ? error : output).Write(data);

    public void End(TargetCourse target)
    {
    }

    public void Finish(RunProgress run, int status)
    {
    }
}
