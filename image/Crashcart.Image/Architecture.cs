using System.Runtime.InteropServices;

namespace Crashcart.Image;

/// <summary>What differs between the machines that an image can be for.</summary>
/// <param name="Name">Debian's name.</param>
/// <param name="Triplet">The name of its library directory.</param>
/// <param name="Loader">The file name of its dynamic loader, ld.so(8).</param>
/// <param name="ElfMachine">e_machine, elf(5).</param>
/// <param name="Emulator">The program that runs its programs elsewhere.</param>
internal sealed record Architecture(string Name, string Triplet, string Loader, ushort ElfMachine, string Emulator)
{
    public static readonly Architecture Amd64 = new("amd64", "x86_64-linux-gnu", "ld-linux-x86-64.so.2", 62, "qemu-x86_64-static");
    public static readonly Architecture Arm64 = new("arm64", "aarch64-linux-gnu", "ld-linux-aarch64.so.1", 183, "qemu-aarch64-static");

    public static readonly IReadOnlyList<Architecture> All = [Amd64, Arm64];

    public static IEnumerable<string> Names => All.Select(a => a.Name);

    /// <exception cref="ImageBuildException">No image can be made for this machine.</exception>
    public static Architecture Host => RuntimeInformation.OSArchitecture switch
    {
        System.Runtime.InteropServices.Architecture.X64 => Amd64,
        System.Runtime.InteropServices.Architecture.Arm64 => Arm64,
        var other => throw new ImageBuildException(
            $"Images are made for {string.Join(" and ", Names)}, and this machine is {other}: choose one with --arch."),
    };

    /// <exception cref="ImageBuildException">There are no images for it.</exception>
    public static Architecture Named(string name)
        => All.FirstOrDefault(a => a.Name == name)
            ?? throw new ImageBuildException($"There are no images for '{name}': {string.Join(" and ", Names)} are the architectures.");
}
