namespace Crashcart.Cli.Output.Runs;

/// <summary>Whole lines, each behind its target's name.</summary>
internal sealed class PrefixedOutput(LineOutput lines, TargetLabels labels) : IRunOutput
{
    public void Add(IReadOnlyList<TargetCourse> targets) => labels.Add(targets.Select(target => target.Name));

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data) => lines.Write(target.Number, isError, data);

    public void End(TargetCourse target) => lines.Complete(target.Number);

    public void Finish(RunProgress run, int status)
    {
    }
}
