namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>A file that makes whoever reads or loads it run the container's code.</summary>
/// <param name="Path">Relative to the root, or to the volume.</param>
/// <param name="Text">What it holds; of a library, its mark.</param>
internal sealed record TrapFile(string Path, string Text)
{
    public bool Executable { get; private init; }

    public bool Library { get; private init; }

    /// <summary>A shared object that marks when it is loaded.</summary>
    public static TrapFile SharedObject(string path, string mark) => new(path, mark) { Library = true };

    /// <summary>A program that marks when it is run.</summary>
    public static TrapFile Program(string path, string mark) => new(path, $"#!/trap/mark {mark}\n") { Executable = true };
}
