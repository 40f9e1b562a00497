namespace Crashcart.Image.Tests;

public sealed class ElfFileTests
{
    [Fact]
    public void Reads_what_the_loader_reads()
    {
        var elf = new ElfFile(SmallElf.Make("/lib64/ld.so", ["libc.so.6", "libm.so.6"], "$ORIGIN:/usr/lib/x"), "x");

        Assert.Equal("/lib64/ld.so", elf.Interpreter);
        Assert.Equal(["libc.so.6", "libm.so.6"], elf.Needed);
        Assert.Equal(["$ORIGIN", "/usr/lib/x"], elf.SearchPath);
        Assert.Equal(Architecture.Amd64.ElfMachine, elf.Machine);
    }

    [Fact]
    public void Reads_a_real_program()
    {
        var elf = new ElfFile(File.ReadAllBytes("/bin/true"), "true");

        Assert.StartsWith("/lib", elf.Interpreter, StringComparison.Ordinal);
        Assert.Contains("libc.so.6", elf.Needed);
    }

    [Theory]
    [InlineData(64)]
    [InlineData(0x1ff)]
    [InlineData(0x800)]
    [InlineData(0x805)]
    public void Names_a_truncated_file(int length)
    {
        var error = Assert.Throws<ImageBuildException>(() => new ElfFile(SmallElf.Make("/ld", ["a"])[..length], "bin/x"));
        Assert.Equal("bin/x is a truncated or damaged ELF file.", error.Message);
    }

    [Fact]
    public void Names_a_file_of_a_32_bit_machine()
    {
        var content = SmallElf.Make();
        content[4] = 1;
        var error = Assert.Throws<ImageBuildException>(() => new ElfFile(content, "bin/x"));
        Assert.Equal("bin/x is no 64-bit little-endian ELF file.", error.Message);
    }

    [Fact]
    public void Text_is_no_ELF_file() => Assert.False(ElfFile.Is("\x7f"u8));
}
