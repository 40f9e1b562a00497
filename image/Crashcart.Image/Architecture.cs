using System.Runtime.InteropServices;

namespace Crashcart.Image;

/// <summary>What differs between the machines that an image can be for.</summary>
/// <param name="Name">Debian's name.</param>
/// <param name="Triplet">The name of its library directory.</param>
/// <param name="Loader">The file name of its dynamic loader, ld.so(8).</param>
/// <param name="ElfMachine">e_machine, elf(5).</param>
internal sealed record Architecture(string Name, string Triplet, string Loader, ushort ElfMachine)
{
    public static readonly Architecture Amd64 = new("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2", 62);

    /// <exception cref="ImageBuildException">No image can be made for this machine.</exception>
    public static Architecture Host => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => Amd64,
        var other => throw new ImageBuildException($"Images are made for amd64, and this machine is {other}."),
    };
}
