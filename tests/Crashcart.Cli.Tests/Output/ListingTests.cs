using Crashcart.Api;
using Crashcart.Cli.Commands;
using Crashcart.Cli.Output;

namespace Crashcart.Cli.Tests.Output;

public sealed class ListingTests
{
    [Fact]
    public void Columns_are_as_wide_as_their_widest_cell_and_harmless() => Assert.Equal(
        "NAME  X\na     long\nb\uFFFDc   y\n",
        TextTable.Of(["NAME", "X"], [["a", "long"], ["b\ec", "y"]]));

    [Fact]
    public void A_silent_node_s_numbers_are_not_zero()
    {
        var row = NodesCommand.Row(new Node { Name = "n", State = "unreachable", Problem = "did not answer in 2 s" }, DigestSkew.Of([]));
        Assert.Equal(["n", "unreachable", "-", "-", "-", "-", "-", "-"], row);
    }

    [Fact]
    public void A_runtime_that_is_down_is_named_so()
    {
        var node = new Node
        {
            Name = "n",
            State = "up",
            Version = "0.1.0",
            Runtimes = { new Runtime { Name = "docker", Problem = "no socket" } },
            Containers = 2,
            ImageDigests = { "sha256:0123456789abcdef" },
        };
        Assert.Equal(["n", "up", "0.1.0", "docker (down)", "2", "0", "0", "0123456789ab"], NodesCommand.Row(node, DigestSkew.Of([node])));
    }

    [Fact]
    public void A_node_s_wide_row_has_its_loop_devices_and_what_it_took_up_and_away()
    {
        var node = new Node
        {
            Name = "n",
            State = "up",
            Address = "10.0.0.7:7421",
            Kernel = "6.18",
            Adopted = 2,
            Reclaimed = 3,
            Images =
            {
                new HeldImage { LoopDevice = "/dev/loop1", Users = { "run-1-0" } },
                new HeldImage { LoopDevice = "/dev/loop2" },
                new HeldImage(),
            },
        };
        Assert.Equal(["/dev/loop1, /dev/loop2 (unused)", "2", "3", "10.0.0.7:7421", "6.18"], NodesCommand.WideRow(node, DigestSkew.Of([])).Skip(8));
    }

    [Fact]
    public void A_container_s_row_has_its_labels_in_order()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);
        var container = new Container
        {
            Node = "n",
            Id = "0123456789abcdef",
            Name = "web",
            Image = "i",
            State = "running",
            StartedUnixMs = now.AddMinutes(-90).ToUnixTimeMilliseconds(),
            Labels = { ["b"] = "2", ["a"] = "1" },
        };
        Assert.Equal(["n", "web", "0123456789ab", "i", "running", "1h", "a=1,b=2"], PsCommand.Row(container, now));
    }

    [Fact]
    public void A_node_with_another_image_than_most_is_marked_and_named()
    {
        Node[] nodes = [Node("a", "sha256:aaaaaaaaaaaaaaaa"), Node("b", "sha256:bbbbbbbbbbbbbbbb"), Node("c", "sha256:aaaaaaaaaaaaaaaa"), Node("d")];
        var skew = DigestSkew.Of(nodes);

        Assert.Equal(["aaaaaaaaaaaa", "bbbbbbbbbbbb (!)", "aaaaaaaaaaaa", "-"], nodes.Select(node => NodesCommand.Row(node, skew)[^1]));
        Assert.Equal("1 node has another image than the 2 with sha256:aaaaaaaaaaaa: b (sha256:bbbbbbbbbbbb)", skew.Describe());
        Assert.Null(DigestSkew.Of([nodes[0], nodes[2], nodes[3]]).Describe());
    }

    [Fact]
    public void An_image_has_a_row_for_each_name()
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(1_000_000);
        var image = new FleetImage
        {
            Digest = "sha256:0123456789abcdef",
            Size = 126_300_000,
            Tags = { new ImageTag { Name = "toolbox:1", PushedUnixMs = now.AddHours(-3).ToUnixTimeMilliseconds() } },
            Coordinators = { "127.0.0.1:7420" },
            Nodes = { "alpha", "beta" },
        };
        Assert.Equal([["toolbox:1", "sha256:0123456789ab", "126 MB", "3h ago", "1", "2 of 5"]], ImageListCommand.Rows(image, 5, isWide: false, now));
        image.Tags.Clear();
        Assert.Equal([["<none>", "sha256:0123456789ab", "126 MB", "-", "127.0.0.1:7420", "alpha,beta"]], ImageListCommand.Rows(image, 5, isWide: true, now));
    }

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(999, "999 B")]
    [InlineData(1000, "1 kB")]
    [InlineData(999_499, "999 kB")]
    [InlineData(999_500, "1 MB")]
    [InlineData(1_234_000, "1.23 MB")]
    [InlineData(12_340_000, "12.3 MB")]
    [InlineData(126_300_000, "126 MB")]
    [InlineData(4_294_967_296, "4.29 GB")]
    public void A_size_has_three_digits(long bytes, string text) => Assert.Equal(text, ByteSize.Of(bytes));

    [Theory]
    [InlineData(0, 126_300_000, "0.00 of 126 MB")]
    [InlineData(45_020_000, 126_300_000, "45.0 of 126 MB")]
    [InlineData(126_300_000, 126_300_000, "126 of 126 MB")]
    [InlineData(998_000_000, 1_570_000_000, "1.00 of 1.57 GB")]
    [InlineData(7, 999, "7 of 999 B")]
    public void A_part_is_in_the_whole_s_unit_and_keeps_its_zeros(long part, long whole, string text) =>
        Assert.Equal(text, ByteSize.Of(part, whole));

    [Theory]
    [InlineData("Net Tools", "net-tools")]
    [InlineData("crashcart", "crashcart")]
    [InlineData("_a..b_", "a-b")]
    public void Any_text_makes_an_image_s_name(string text, string name) => Assert.Equal(name, ImageNames.From(text));

    private static Node Node(string name, params string[] digests) => new() { Name = name, State = "up", ImageDigests = { digests } };

    [Theory]
    [InlineData(-5, "0s")]
    [InlineData(59, "59s")]
    [InlineData(60, "1m")]
    [InlineData(7200, "2h")]
    [InlineData(172_800, "2d")]
    public void An_age_has_one_unit(int seconds, string text) => Assert.Equal(text, PsCommand.Age(TimeSpan.FromSeconds(seconds)));
}
