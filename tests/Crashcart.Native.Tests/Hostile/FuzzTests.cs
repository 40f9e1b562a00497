using System.Text;

namespace Crashcart.Native.Tests.Hostile;

/// <summary>What nobody writes, but a hostile container, image or client might. Always the same cases.</summary>
public sealed class FuzzTests
{
    private const int Seed = 20261125;

    [Fact]
    public void No_request_does_more_to_the_helper_than_be_refused()
    {
        const int Cases = 4000;
        using var directory = new ImageDirectory();
        string program = Path.Combine(directory.Root, "crashcart-enter");
        using (Stream embedded = typeof(MountInfo).Assembly.GetManifestResourceStream("crashcart-enter")!)
        using (FileStream file = File.Create(program))
            embedded.CopyTo(file);
        File.SetUnixFileMode(program, (UnixFileMode)0b111_101_101);
        string fuzz = Path.Combine(directory.Root, "fuzz");
        HostileProgram.Compile("fuzz", fuzz);

        Assert.Equal($"{Cases} refused\n", Shell.Run(fuzz, program, $"{Cases}", $"{Seed}"));
    }

    [Fact]
    public void No_text_does_more_to_the_reader_of_mountinfo_than_be_refused()
    {
        string[] lines = File.ReadAllLines("/proc/self/mountinfo");
        var random = new Random(Seed);
        for (int i = 0; i < 50_000; i++)
        {
            string line = Mutate(random, lines[random.Next(lines.Length)]);
            try
            {
                Assert.NotNull(MountInfo.Parse(line).MountPoint);
            }
            catch (FormatException)
            {
                // As it says.
            }
        }
    }

    [Fact]
    public void No_head_of_a_file_does_more_than_be_no_image()
    {
        byte[][] heads = [.. new[] { "erofs", "ext4", "squashfs" }.Select(Head)];
        var random = new Random(Seed);
        for (int i = 0; i < 50_000; i++)
        {
            byte[] head = [.. heads[random.Next(heads.Length)]];
            for (int change = random.Next(64); change > 0; change--)
                head[random.Next(2) == 0 ? random.Next(head.Length) : 1024 + random.Next(100)] = (byte)random.Next(256);

            if (Superblock.Identify(head.AsSpan(0, random.Next(4) == 0 ? random.Next(head.Length) : head.Length)) is { } found)
                Assert.InRange(found.SectorSize, 512u, 4096u);
        }
    }

    [Fact]
    public void No_file_does_more_than_be_no_image()
    {
        using var directory = new ImageDirectory();
        string path = Path.Combine(directory.Root, "fuzz.img");
        var random = new Random(Seed);
        int refused = 0;
        for (int i = 0; i < 1000; i++)
        {
            byte[] bytes = [.. Head(new[] { "erofs", "ext4", "squashfs" }[random.Next(3)]), .. new byte[random.Next(8192)]];
            random.NextBytes(bytes.AsSpan(1024 + random.Next(60), random.Next(40)));
            File.WriteAllBytes(path, bytes[..random.Next(1, bytes.Length)]);
            try
            {
                Assert.InRange(ImageIdentity.Read(path).Size, 1, bytes.Length);
            }
            catch (CrashcartException)
            {
                refused++;
            }
        }
        Assert.NotEqual(0, refused);
    }

    /// <summary>Of a file that has just the magic number.</summary>
    private static byte[] Head(string fileSystem)
    {
        byte[] head = new byte[2048];
        (byte[] magic, int at) = fileSystem switch
        {
            "erofs" => (new byte[] { 0xe2, 0xe1, 0xf5, 0xe0 }, 1024),
            "ext4" => ([0x53, 0xef], 1024 + 56),
            _ => ("hsqs"u8.ToArray(), 0),
        };
        magic.CopyTo(head, at);
        return head;
    }

    private static string Mutate(Random random, string line)
    {
        const string Alphabet = "0123456789 :-\\/\t\0é,=shared:master";
        var text = new StringBuilder(line);
        for (int change = random.Next(8); change > 0; change--)
        {
            int at = random.Next(text.Length + 1);
            switch (random.Next(4))
            {
                case 0:
                    text.Insert(at, Alphabet[random.Next(Alphabet.Length)]);
                    break;
                case 1:
                    text.Remove(at, random.Next(text.Length - at + 1));
                    break;
                case 2:
                    text.Insert(at, line.AsSpan(random.Next(line.Length)));
                    break;
                default:
                    text.Replace(' ', Alphabet[random.Next(Alphabet.Length)], at, Math.Min(3, text.Length - at));
                    break;
            }
        }
        return text.ToString();
    }
}
