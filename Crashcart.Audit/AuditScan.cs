using Microsoft.Win32.SafeHandles;

namespace Crashcart.Audit;

/// <summary>Finds the end of a file of lines.</summary>
internal static class AuditScan
{
    public static byte[] ReadAll(SafeFileHandle handle)
    {
        byte[] bytes = new byte[RandomAccess.GetLength(handle)];
        int read, total = 0;
        while (total < bytes.Length && (read = RandomAccess.Read(handle, bytes.AsSpan(total), total)) > 0)
            total += read;
        return bytes.AsSpan(0, total).ToArray();
    }

    /// <summary>The last whole line; null when there is none.</summary>
    public static AuditLink? End(AuditFile file) => End(file, File.ReadAllBytes(file.Path));

    /// <inheritdoc cref="End(AuditFile)"/>
    public static AuditLink? End(AuditFile file, ReadOnlySpan<byte> lines)
    {
        int end = lines.LastIndexOf(AuditLine.End);
        if (end < 0)
            return null;
        lines = lines[..end];
        return AuditLink.Of(file.First + lines.Count(AuditLine.End), lines[(lines.LastIndexOf(AuditLine.End) + 1)..]);
    }
}
