using System.Buffers.Binary;
using System.Text;

namespace Crashcart.Image.Tests;

public sealed class RelocationTests
{
    private static readonly byte[] VariableTest = [0x80, 0x38, 0x4c, 0x75, 0xee, 0x80, 0x78, 0x01, 0x44];

    private readonly Relocation _relocation = new(Architecture.Amd64, new Dictionary<string, string> { ["/usr/share/tables"] = "ta" });

    [Fact]
    public void A_real_program_gets_the_images_loader_and_keeps_its_length()
    {
        var before = File.ReadAllBytes("/bin/true");
        var after = _relocation.Relocate(before, "true");

        Assert.Equal("/dev/crashcart/lib/ld.so", new ElfFile(after, "true").Interpreter);
        Assert.Equal(before.Length, after.Length);
        Assert.Equal(new ElfFile(before, "true").Needed, new ElfFile(after, "true").Needed);
    }

    [Fact]
    public void Directories_of_plug_ins_lead_into_the_image()
    {
        const string theirs = "/usr/lib/x86_64-linux-gnu/gconv";
        var after = _relocation.Relocate(SmallElf.Make(text: theirs, runpath: "/usr/lib/x86_64-linux-gnu/sudo"), "x");

        Assert.Contains("\0/dev/crashcart/lib////////gconv\0", Encoding.ASCII.GetString(after));
        Assert.Equal("lib/sudo", Libraries.InTree(Assert.Single(new ElfFile(after, "x").SearchPath), "bin/x"));
    }

    [Fact]
    public void An_interpreter_without_room_stops_the_build()
    {
        var error = Assert.Throws<ImageBuildException>(() => _relocation.Relocate(SmallElf.Make("/lib/ld-musl.so.1"), "bin/x"));
        Assert.Equal("bin/x has room for 17 characters of its interpreter's path, too few.", error.Message);
    }

    [Fact]
    public void Directories_that_many_programs_name_lead_into_the_image()
    {
        var after = _relocation.Relocate(SmallElf.Make(text: "/usr/share/tables/one"), "x");
        Assert.Contains("\0/dev/crashcart/ta/one\0", Encoding.ASCII.GetString(after));
    }

    [Fact]
    public void The_loader_looks_nowhere_but_in_the_image()
    {
        var after = _relocation.RelocateLoader(Loader());
        var lengths = Enumerable.Range(0, 4).Select(i => (int)BinaryPrimitives.ReadUInt64LittleEndian(after.AsSpan(i * 8))).ToList();

        // As the loader walks its table.
        var at = 32;
        foreach (var length in lengths)
        {
            var directory = Encoding.ASCII.GetString(after, at, length);
            Assert.StartsWith("/dev/crashcart/", directory);
            Assert.EndsWith("/", directory);
            at += length + 1;
        }

        Assert.Equal("/lib/x86_64-linux-gnu/".Length, lengths[0]);
        var text = Encoding.ASCII.GetString(after);
        Assert.Contains("\0/dev/crashcart/c\0", text);
        Assert.Contains("\0/dev/crashcart/pre\0", text);
        Assert.DoesNotContain("/etc/", text);
        Assert.Single(Bytes.Occurrences(after, [0x80, 0x38, 0x43, 0x75, 0xee, 0x80, 0x78, 0x01, 0x43]));
    }

    [Fact]
    public void A_loader_with_another_test_for_its_variables_stops_the_build()
    {
        byte[] loader = [.. Loader(), .. VariableTest];
        var error = Assert.Throws<ImageBuildException>(() => _relocation.RelocateLoader(loader));
        Assert.StartsWith("Looked for the test for LD_ variables in lib/ld.so and found it 2 times where 1 is right", error.Message);
    }

    [Fact]
    public void A_loader_with_other_directories_stops_the_build()
    {
        var loader = Loader();
        loader[40]++;
        var error = Assert.Throws<ImageBuildException>(() => _relocation.RelocateLoader(loader));
        Assert.StartsWith("Looked for the built-in directories in lib/ld.so and found it 1 times where 2 is right", error.Message);
    }

    /// <summary>What the edits look for, in the order of Debian's loader.</summary>
    private static byte[] Loader()
    {
        const string directories = "/lib/x86_64-linux-gnu/\0/usr/lib/x86_64-linux-gnu/\0/lib/\0/usr/lib/\0";
        var padded = Encoding.ASCII.GetBytes(directories.PadRight(96, '\0'));
        var lengths = new ulong[] { 22, 26, 5, 9 }.SelectMany(BitConverter.GetBytes).ToArray();
        return [.. lengths, .. padded, .. padded, .. "\0/etc/ld.so.cache\0/etc/ld.so.preload\0"u8, .. VariableTest];
    }
}
