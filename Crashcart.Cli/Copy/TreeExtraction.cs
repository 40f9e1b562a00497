using Crashcart.Cli.Output;
using Crashcart.Native;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Cli.Copy;

/// <summary>
/// Writes what a container's tar sends below a new name in a directory here. Only what was asked for is taken, and nothing is written
/// anywhere else, whatever the archive says.
/// </summary>
/// <param name="home">The directory.</param>
/// <param name="root">The new name in it.</param>
/// <param name="asked">What the archive's entries are called, all of them or the directory that they are in; empty for <c>.</c> itself.</param>
/// <param name="keepOwners">Give each file to the user and group that the archive says, and keep set-ID bits.</param>
internal sealed class TreeExtraction(FileTree home, byte[] root, byte[] asked, bool keepOwners, CopyProgress progress)
{
    private const byte Slash = (byte)'/';

    // Set-ID bits speak of the container's users, not of who copies.
    private const int Permissions = 0x1FF; // 0777

    private readonly List<(byte[] Below, ArchiveEntry Entry)> _directories = [];
    private readonly List<string> _omitted = [];

    /// <summary>What was asked for; null when none of it has come.</summary>
    public ArchiveEntryKind? Kind { get; private set; }

    /// <summary>Devices, FIFOs and such, which are not copied.</summary>
    public IReadOnlyList<string> Omitted => _omitted;

    /// <summary>Called with the kind of what was asked for, before anything is written; may refuse it.</summary>
    public Action<ArchiveEntryKind> Accept { get; init; } = _ => { };

    /// <exception cref="CrashcartException">What comes is no archive of what was asked for, was cut, or cannot be written.</exception>
    public async Task ReadAsync(Stream archive)
    {
        var reader = new ArchiveReader(archive);
        try
        {
            while (await reader.NextAsync() is { } entry)
                await TakeAsync(reader, entry);
            await reader.DrainAsync();
        }
        catch (InvalidDataException e)
        {
            throw new CrashcartException(FailureReason.System, $"Refused: {e.Message}; nothing of the copy was kept.", e);
        }
    }

    /// <summary>Gives the directories their modes, owners and times, the inner ones first: nothing is written into them any more.</summary>
    /// <param name="place">Where they are now.</param>
    /// <param name="withRoot">The outermost one, too.</param>
    public void Finish(byte[] place, bool withRoot)
    {
        foreach (var (below, entry) in _directories.AsEnumerable().Reverse().Where(directory => withRoot || directory.Below.Length > 0))
        {
            var path = below.Length == 0 ? place : place.Length == 0 ? below : BytePath.Join(place, below);
            Try(entry, () => Describe(path, entry));
        }
    }

    private async ValueTask TakeAsync(ArchiveReader reader, ArchiveEntry entry)
    {
        var below = Below(entry.Name);
        if (Kind is null)
        {
            if (below.Length > 0)
                throw ArchiveHeader.Corrupt($"it does not begin with what was asked for, but with '{BytePath.Text(entry.Name)}'");
            Accept(entry.Kind);
            Kind = entry.Kind;
        }

        var path = below.Length == 0 ? root : BytePath.Join(root, below);
        progress.AddFile();
        switch (entry.Kind)
        {
            case ArchiveEntryKind.File:
                await WriteFileAsync(reader, entry, path);
                break;
            case ArchiveEntryKind.Directory:
                Try(entry, () => home.MakeDirectory(path));
                _directories.Add((below, entry));
                break;
            case ArchiveEntryKind.Link:
                Try(entry, () => home.MakeLink(path, entry.LinksTo));
                Try(entry, () => Describe(path, entry));
                break;
            case ArchiveEntryKind.HardLink:
                var existing = BytePath.Join(root, Below(entry.LinksTo));
                Try(entry, () => home.MakeHardLink(path, existing));
                break;
            default:
                _omitted.Add(BytePath.Text(below.Length == 0 ? asked : BytePath.Join(asked, below)));
                break;
        }
    }

    private async Task WriteFileAsync(ArchiveReader reader, ArchiveEntry entry, byte[] path)
    {
        SafeFileHandle? created = null;
        Try(entry, () => created = home.CreateFile(path));
        using (var file = created!)
        {
            await reader.ReadContentsAsync((at, data) =>
            {
                Try(entry, () => RandomAccess.Write(file, data.Span, at));
                progress.Add(data.Length);
            });
            // A hole at the end is nothing that was written.
            if (entry.Data is [] || entry.Data[^1] is var last && last.Start + last.Length < entry.Size)
                Try(entry, () => RandomAccess.SetLength(file, entry.Size));
        }

        Try(entry, () => Describe(path, entry));
    }

    private void Describe(byte[] path, ArchiveEntry entry)
    {
        if (keepOwners)
            home.SetOwner(path, entry.Owner, entry.Group);
        if (entry.Kind != ArchiveEntryKind.Link)
            home.SetMode(path, keepOwners ? entry.Mode : entry.Mode & Permissions);
        home.SetModified(path, entry.Modified);
    }

    /// <summary>The entry's path below what was asked for; empty for that itself.</summary>
    /// <exception cref="InvalidDataException">It leads elsewhere.</exception>
    private byte[] Below(byte[] name)
    {
        var parts = new List<byte[]>();
        foreach (var range in name.AsSpan().Split(Slash))
        {
            var part = name[range];
            if (part.AsSpan().SequenceEqual(".."u8))
                throw Elsewhere(name);
            if (part.Length > 0 && !part.AsSpan().SequenceEqual("."u8))
                parts.Add(part);
        }

        if (name is [] or [Slash, ..] || name.Contains((byte)0))
            throw Elsewhere(name);
        if (asked.Length > 0)
        {
            if (parts is [] || !parts[0].AsSpan().SequenceEqual(asked))
                throw Elsewhere(name);
            parts.RemoveAt(0);
        }

        return parts.Count == 0 ? [] : parts.Aggregate((path, part) => BytePath.Join(path, part));
    }

    private static InvalidDataException Elsewhere(byte[] name) => new($"the container sent '{BytePath.Text(name)}', which leads elsewhere than to what was asked for");

    private static void Try(ArchiveEntry entry, Action write)
    {
        try
        {
            write();
        }
        catch (SyscallException e) when (e.Errno is TooManyLinks or NotBeneath)
        {
            throw new InvalidDataException($"the container sent '{BytePath.Text(entry.Name)}', which leads out of the copy", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var why = e is SyscallException call ? $"{call.Call}: {SyscallException.Describe(call.Errno)}" : e.Message.TrimEnd('.');
            throw new CrashcartException(FailureReason.System, $"Cannot write '{SafeText.Of(BytePath.Text(entry.Name).TrimStart('.', '/'))}': {why}; nothing of the copy was kept.", e);
        }
    }

    // errno(3)
    private const int TooManyLinks = 40;
    private const int NotBeneath = 18;
}
