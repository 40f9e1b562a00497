namespace Crashcart.Actors;

/// <summary>A container's full id, as its runtime has it.</summary>
public readonly record struct ContainerId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>One tool in one target; also the name of its actor and of its cgroup.</summary>
public readonly record struct SessionId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>One request of a user's, which has started one or many sessions; also the name of its actor.</summary>
public readonly record struct RunId(string Value)
{
    private const string Prefix = "run-";

    /// <summary>A new id that is safe as an actor's name and short enough to type.</summary>
    public static RunId New() => new(Prefix + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray().AsSpan(0, 5)));

    /// <summary>Whether a person may mean it by that, with or without what every id begins with.</summary>
    public bool IsBegunBy(string text) =>
        Value.StartsWith(text, StringComparison.Ordinal) || Value.StartsWith(Prefix + text, StringComparison.Ordinal);

    /// <summary>The id of the session in the run's target number <paramref name="target"/>.</summary>
    public SessionId Session(int target) => new($"{Value}-{target}");

    public override string ToString() => Value;
}

/// <summary>Where in a container an image is; the default value is <c>/dev/crashcart</c>.</summary>
public readonly record struct MountPath
{
    private const string Usual = "/dev/crashcart";

    private readonly string? _other;

    /// <param name="path">Empty is the default.</param>
    public MountPath(string path) => _other = path is "" or Usual ? null : path;

    /// <summary>The only one that sessions use.</summary>
    public bool IsDefault => _other is null;

    public override string ToString() => _other ?? Usual;
}

/// <summary>One claim of a person's on one shared mount in one container.</summary>
public readonly record struct LeaseId(string Value)
{
    /// <summary>A new id that is short enough to type.</summary>
    public static LeaseId New() => new("lease-" + Convert.ToHexStringLower(Guid.NewGuid().ToByteArray().AsSpan(0, 5)));

    public override string ToString() => Value;
}
