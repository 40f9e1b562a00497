using System.Text;

namespace Crashcart.Cli.Copy;

/// <summary>What the tools of a copy said on standard error, as sentences; the first of them when they say very much.</summary>
internal sealed class ToolWords : MemoryStream
{
    private const int Most = 64 * 1024;

    private static readonly string[] Farewells = ["Exiting with failure status due to previous errors", "Error is not recoverable: exiting now"];

    // And where the archive begins.
    private static readonly string[] Names = ["tar: ./", "/dev/crashcart/bin/tar: ./", "tar: ", "/dev/crashcart/bin/tar: ", "realpath: ", "/dev/crashcart/bin/realpath: "];

    /// <summary>One for each line, without the tool's name.</summary>
    public IEnumerable<string> Sentences() => Encoding.UTF8.GetString(ToArray())
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => Names.FirstOrDefault(name => line.StartsWith(name, StringComparison.Ordinal)) is { } name ? line[name.Length..] : line)
        .Where(line => !Farewells.Contains(line));

    public override void Write(byte[] buffer, int offset, int count) => base.Write(buffer, offset, (int)Math.Min(count, Most - Length));

    public override void Write(ReadOnlySpan<byte> buffer) => Write(buffer.ToArray(), 0, buffer.Length);

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return ValueTask.CompletedTask;
    }
}
