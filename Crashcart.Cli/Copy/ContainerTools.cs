using System.Security.Cryptography;
using Crashcart.Cli.Commands;
using Crashcart.Native;

namespace Crashcart.Cli.Copy;

/// <summary>The toolbox's programs that read and write a container's files, and how they are called.</summary>
internal static class ContainerTools
{
    /// <summary>A name that nothing has, for a copy that is not whole.</summary>
    public static string TemporaryName() => $".crashcart-cp.{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8))}";

    /// <summary>What the copy is called in the archive that goes to <see cref="Write"/>.</summary>
    public static byte[] Copy => "copy"u8.ToArray();

    /// <summary>The last entry of that archive, without which nothing of it is kept.</summary>
    public static byte[] Whole => "whole"u8.ToArray();

    // By their paths: never the container's own.
    private const string Bin = $"{SharedMount.Path}/bin";

    // The copy is unpacked beside its place under a name of its own, and gets its name when it is whole. Into a directory that is there
    // it goes file by file: as another name for each, or where a mount is in between, as a copy.
    private const string Script = """
        to=$1 name=$2 kind=$3 temporary=$4; shift 4
        exec 3<&0
        # Not in the foreground: bash would lose a SIGINT there that its child does not die of.
        child=
        run() { "$@" <&3 & child=$!; wait "$child"; }
        fail() { printf '%s\n' "$1" >&2; exit 1; }
        if [ -d "$to" ]; then
          home=$to place=${to%/}/${name:-.}
        elif [ -e "$to" ] && [ "$kind" != file ]; then
          fail "It is there and no directory"
        elif [ "$kind" = stream ] || { [ "$kind" = file ] && [ -z "${to##*/}" ]; }; then
          fail "There is no such directory"
        else
          place=${to%/} home=$(dirname -- "${to%/}")
          [ -d "$home" ] || fail "There is no directory '$home' for it"
        fi
        work=${home%/}/$temporary new=$work/copy
        # Words that nobody reads any more must not end this before it has cleared away.
        trap '' PIPE
        # Nor does a signal that comes while it clears away: rm would die of it, too.
        clear() { trap '' HUP INT TERM; kill "$child" 2>/dev/null; wait; rm -rf -- "$work"; }
        trap 'clear; exit 129' HUP; trap 'clear; exit 130' INT; trap 'clear; exit 143' TERM
        trap clear EXIT
        run mkdir --mode=700 -- "$work" || exit 1
        if [ "$kind" = stream ]; then
          run mkdir -- "$new"
          run tar --extract --file=- --directory="$new" "$@" || exit 1
        else
          run tar --extract --file=- --directory="$work" "$@" || exit 1
          [ -e "$work/whole" ] || fail "The copy was cut before it was whole"
        fi
        if [ -d "$new" ] && [ ! -L "$new" ] && [ -d "$place" ]; then
          if [ "${place##*/}" = . ]; then
            chown --reference="$place" -- "$new" && chmod --reference="$place" -- "$new" || exit 1
          fi
          run cp --archive --link --remove-destination --no-target-directory -- "$new" "$place" 2>/dev/null ||
            run cp --archive --remove-destination --no-target-directory -- "$new" "$place" || exit 1
        elif [ -d "$place" ]; then
          fail "A directory is in its place: '$place'"
        elif [ -d "$new" ] && [ ! -L "$new" ] && [ -e "$place" ]; then
          fail "A file is in its place: '$place'"
        else
          run mv --force --no-target-directory -- "$new" "$place" || exit 1
        fi
        """;

    /// <summary>Writes a tar archive of it to standard output; the entries are below <c>./NAME</c>, or <c>.</c> for a directory's contents.</summary>
    public static SessionRequest Read(ContainerFile file) => Request(
    [
        $"{Bin}/tar", "--create", "--file=-", "--format=pax", "--pax-option=delete=atime,delete=ctime", "--sparse", "--numeric-owner",
        "--anchored", .. OutOfPlace(file).Select(path => $"--exclude={path}"),
        $"--directory={file.Directory}", $"./{file.Name}{(file.IsDirectory && !file.IsContents ? "/" : "")}",
    ]);

    /// <summary>Reads such an archive from standard input.</summary>
    /// <param name="to">Where it goes, as docker(1) has it: into a directory that is there, else under this name.</param>
    /// <param name="name">Its name in a directory; empty to put a directory's contents there.</param>
    /// <param name="kind"><c>file</c>, <c>directory</c>, or <c>stream</c> for an archive of somebody else's.</param>
    /// <param name="keepOwners">Give the files to the users and groups that the archive says; else to root.</param>
    public static SessionRequest Write(ContainerFile to, string name, string kind, bool keepOwners) => Request(
    [
        $"{Bin}/bash", "-c", Script, "crashcart-cp", to.IsDirectory && to.Path != "/" ? to.Path + "/" : to.Path, name, kind, TemporaryName(),
        keepOwners ? "--same-owner" : "--no-same-owner", "--numeric-owner", "--preserve-permissions",
        "--delay-directory-restore", "--warning=no-timestamp",
    ]);

    /// <summary>Tells where a path leads when all its links are followed.</summary>
    public static SessionRequest Follow(ContainerFile file) => Request([$"{Bin}/realpath", "--canonicalize-existing", "--zero", "--", file.Path]);

    /// <summary>What is in the container's tree and not its own: the kernel's file systems, and the toolbox.</summary>
    private static IEnumerable<string> OutOfPlace(ContainerFile file) => file.Path switch
    {
        "/" => ["./proc/*", "./sys/*", $".{SharedMount.Path}"],
        "/dev" => [file.IsContents ? "./crashcart" : $".{SharedMount.Path}"],
        _ => [],
    };

    private static SessionRequest Request(IReadOnlyList<string> tool) => new() { Tool = tool };
}
