namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A kind of container that every tool runs in.</summary>
/// <param name="Name">As test names and failures have it.</param>
/// <param name="Image">One of <see cref="KindImages"/>.</param>
internal sealed record ContainerKind(string Name, string Image)
{
    public static readonly ContainerKind Glibc = new("glibc", KindImages.Glibc);

    /// <summary>musl is its only C library, and the only file by glibc's name is a trap.</summary>
    public static readonly ContainerKind Musl = new("musl", KindImages.Musl);

    /// <summary>One static program: no file else, so no trap in its root either, only in its environment.</summary>
    public static readonly ContainerKind Scratch = new("scratch", KindImages.Scratch);

    public static readonly ContainerKind ReadOnly = new("read-only", KindImages.Static) { Options = ["--read-only"] };

    public static readonly ContainerKind UserNamespace = new("user namespace", KindImages.Glibc) { Remapped = true };

    public static readonly IReadOnlyList<ContainerKind> All = [Glibc, Musl, Scratch, ReadOnly, UserNamespace];

    /// <summary>For <c>docker run</c>.</summary>
    public IReadOnlyList<string> Options { get; private init; } = [];

    /// <summary>Its ids are not the host's.</summary>
    public bool Remapped { get; private init; }

    public override string ToString() => Name;
}
