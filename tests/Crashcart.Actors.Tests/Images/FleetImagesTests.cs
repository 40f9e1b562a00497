using Crashcart.Actors.Images;
using Crashcart.Actors.Protocol;
using static Crashcart.Actors.Tests.Node.Doubles.ScriptedStoredImages;

namespace Crashcart.Actors.Tests.Images;

public sealed class FleetImagesTests
{
    [Fact]
    public void The_newest_record_of_a_name_counts_whoever_says_it_first()
    {
        var (older, newer) = (Answer(Name("tools:1", 'a', 10), Blob('a')), Answer(Name("tools:1", 'b', 11), Blob('b')));

        Assert.Equal(Digest('b'), Resolve("tools:1", older, newer)!.Digest);
        Assert.Equal(Digest('b'), Resolve("tools:1", newer, older)!.Digest);
    }

    [Fact]
    public void Of_two_records_of_one_moment_the_greater_digest_counts()
    {
        var (one, other) = (Answer(Name("tools:1", 'a', 10), Blob('a')), Answer(Name("tools:1", 'b', 10), Blob('b')));

        Assert.Equal(Digest('b'), Resolve("tools:1", one, other)!.Digest);
        Assert.Equal(Digest('b'), Resolve("tools:1", other, one)!.Digest);
    }

    [Fact]
    public void A_removed_name_stays_removed_though_an_older_record_comes_back()
    {
        Assert.Null(Resolve("tools:1", Answer(Name("tools:1", null, 12)), Answer(Name("tools:1", 'a', 11), Blob('a'))));
        Assert.NotNull(Resolve("tools:1", Answer(Name("tools:1", null, 12)), Answer(Name("tools:1", 'a', 13), Blob('a'))));
    }

    [Fact]
    public void All_who_have_an_image_are_its_sources()
    {
        FleetImage image = Resolve("tools", Answer(Name("tools:latest", 'a', 1), Blob('a', "http://127.0.0.1:1")), Answer(null, Blob('a', "http://127.0.0.1:2")))!;

        Assert.Equal(["http://127.0.0.1:1", "http://127.0.0.1:2"], image.Sources.Select(source => source.Endpoint));
        Assert.Equal(["c0", "c1"], image.Coordinators);
    }

    [Fact]
    public void A_name_that_leads_to_what_nobody_has_is_told_as_such()
    {
        Assert.Null(Resolve("tools", out string problem, Answer(Name("tools:latest", 'a', 1))));
        Assert.Contains("no coordinator that answers has it", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_name_is_told_with_what_to_do()
    {
        Assert.Null(Resolve("tools", out string problem));
        Assert.Equal(
            "There is no image tools:latest in the fleet: 'crashcart image ls' shows what there is, 'crashcart image push FILE tools:latest' adds one.",
            problem);
    }

    [Fact]
    public void The_beginning_of_a_digest_must_mean_one_image()
    {
        Assert.Equal(Digest('a'), Resolve("sha256:aa", Answer(null, Blob('a')), Answer(null, Blob('b')))!.Digest);
        Assert.Null(Resolve("sha256:c", out string none, Answer(null, Blob('a'))));
        Assert.Contains("No coordinator has an image sha256:c", none, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_malformed_in_an_answer_is_left_out()
    {
        var images = new FleetImages();
        images.Add("c0", new ImagesFound
        {
            Names = { new ImageNameRecord { Name = "../x", Digest = "" }, new ImageNameRecord { Name = "x", Digest = "sha256:1" }, new ImageNameRecord() },
            Images = { new ImageBlob { Digest = "sha256:../.." }, new ImageBlob() },
        });

        Assert.Empty(images.All);
        Assert.Empty(images.Names.All);
    }

    [Fact]
    public void A_new_record_beats_all_that_are_known_whatever_the_clock_says()
    {
        var book = new NameBook();
        Assert.True(ImageName.TryParse("tools", out ImageName name, out _));
        book.Add(new NameRecord(name, Digest('a'), 1000));

        Assert.Equal(1001, book.MomentFor(name, nowUnixMs: 500));
        Assert.Equal(2000, book.MomentFor(name, nowUnixMs: 2000));
    }

    [Fact]
    public void Removed_names_are_forgotten_in_the_end_and_others_are_not()
    {
        var book = new NameBook();
        Assert.True(ImageName.TryParse("tools:1", out ImageName removed, out _));
        Assert.True(ImageName.TryParse("tools:2", out ImageName living, out _));
        book.Add(new NameRecord(removed, null, 10));
        book.Add(new NameRecord(living, Digest('a'), 10));

        book.ForgetRemoved(beforeUnixMs: 11);

        Assert.Equal([living], book.All.Select(record => record.Name));
    }

    [Fact]
    public void When_there_are_too_many_the_names_that_were_removed_first_are_forgotten_first()
    {
        var book = new NameBook();
        var names = Enumerable.Range(0, 4).Select(number => ImageName.TryParse($"tools:{number}", out ImageName name, out _) ? name : default).ToList();
        book.Add(new NameRecord(names[0], Digest('a'), 1));
        book.Add(new NameRecord(names[1], null, 3));
        book.Add(new NameRecord(names[2], null, 2));
        book.Add(new NameRecord(names[3], Digest('a'), 4));

        Assert.True(book.TrimTo(3));
        Assert.Equal([names[0], names[1], names[3]], book.All.Select(record => record.Name));
        Assert.False(book.TrimTo(1));
        Assert.Equal([names[0], names[3]], book.All.Select(record => record.Name));
    }

    private static ImageNameRecord Name(string name, char? digit, long time) =>
        new() { Name = name, Digest = digit is { } given ? Digest(given).ToString() : "", UnixMs = time };

    private static ImageBlob Blob(char digit, string endpoint = "unix:/x") =>
        new() { Digest = Digest(digit).ToString(), Size = 5, Source = new ImageSource { Endpoint = endpoint } };

    private static ImagesFound Answer(ImageNameRecord? name, params ImageBlob[] blobs)
    {
        var answer = new ImagesFound { Images = { blobs } };
        if (name is not null)
            answer.Names.Add(name);
        return answer;
    }

    private static FleetImage? Resolve(string reference, params ImagesFound[] answers) => Resolve(reference, out _, answers);

    private static FleetImage? Resolve(string reference, out string problem, params ImagesFound[] answers)
    {
        var images = new FleetImages();
        foreach (var (index, answer) in answers.Index())
            images.Add($"c{index}", answer);
        return images.Resolve(ImageReference.TryParse(reference, out _)!, out problem);
    }
}
