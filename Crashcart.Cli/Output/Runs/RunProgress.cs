using Crashcart.Api;

namespace Crashcart.Cli.Output.Runs;

/// <summary>A run's targets and how they fare: what the status line, the summary and the outputs are made of.</summary>
internal sealed class RunProgress(TimeProvider time)
{
    private readonly List<TargetCourse> _targets = [];

    public IReadOnlyList<TargetCourse> Targets => _targets;

    public string RunId { get; set; } = "";

    public DateTimeOffset Began { get; } = time.GetUtcNow();

    public int Running { get; private set; }

    public int Well => _targets.Count(target => target.IsWell);

    public int Failed => _targets.Count(target => target.IsEnded && !target.IsWell);

    public long Bytes { get; private set; }

    public DateTimeOffset Now => time.GetUtcNow();

    public TargetCourse this[int target] => _targets[target];

    public IReadOnlyList<TargetCourse> Add(IEnumerable<Container> containers)
    {
        var first = _targets.Count;
        foreach (var container in containers)
            _targets.Add(new TargetCourse(_targets.Count, container.Node, ContainerName.Short(container)));
        return _targets[first..];
    }

    public void Start(int target)
    {
        if (_targets[target].Started is not null)
            return;
        _targets[target].Started = Now;
        Running++;
    }

    public void Write(int target, bool isError, int bytes)
    {
        Bytes += bytes;
        if (isError)
            _targets[target].ErrorBytes += bytes;
        else
            _targets[target].OutputBytes += bytes;
    }

    public void End(int target, int exitCode, string? failure)
    {
        var course = _targets[target];
        if (course.IsEnded)
            return;
        if (course.Started is not null)
            Running--;
        (course.Ended, course.ExitCode, course.Failure) = (Now, exitCode, failure);
    }
}
