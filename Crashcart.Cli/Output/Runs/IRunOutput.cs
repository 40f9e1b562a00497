namespace Crashcart.Cli.Output.Runs;

/// <summary>A form in which the output of many tools reaches the person. Bytes come as the tools wrote them, in pieces.</summary>
internal interface IRunOutput
{
    /// <summary>The run has these targets, more than before.</summary>
    void Add(IReadOnlyList<TargetCourse> targets);

    void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data);

    /// <summary>Some time has passed, whether something came or not.</summary>
    void Tick()
    {
    }

    /// <summary>The target's output is over.</summary>
    void End(TargetCourse target);

    /// <summary>Every target's is.</summary>
    /// <param name="status">The run's exit status.</param>
    void Finish(RunProgress run, int status);
}
