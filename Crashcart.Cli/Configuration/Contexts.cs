using Crashcart.Cli.Identity;
using Crashcart.Native;

namespace Crashcart.Cli.Configuration;

/// <summary>
/// The fleets that a user works with, by name: a directory for each in <c>~/.config/crashcart/contexts</c>, with the coordinator's address
/// and the user's identity.
/// </summary>
internal sealed class Contexts(string home)
{
    private const string AddressName = "coordinator";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _directory = Path.Combine(home, ".config/crashcart/contexts");
    private readonly string _current = Path.Combine(home, ".config/crashcart/current-context");

    /// <summary>The one in use; null when none is.</summary>
    public string? Current => File.Exists(_current) ? File.ReadAllText(_current).Trim() is { Length: > 0 } name ? name : null : null;

    public IReadOnlyList<string> Names => Directory.Exists(_directory)
        ? [.. Directory.EnumerateDirectories(_directory).Select(path => Path.GetFileName(path)).Where(IsName).Order(StringComparer.Ordinal)]
        : [];

    public static Contexts Mine => new(Environment.GetEnvironmentVariable("HOME") is { Length: > 0 } home ? home : "/nonexistent");

    public static bool IsName(string text) =>
        text.Length is > 0 and <= 63 && char.IsAsciiLetterOrDigit(text[0]) && text.All(c => char.IsAsciiLetterOrDigit(c) || "-_.".Contains(c, StringComparison.Ordinal));

    /// <exception cref="CrashcartException">There is no such context, or it is damaged.</exception>
    public CoordinatorAddress Address(string name)
    {
        Demand(name);
        var address = CoordinatorAddress.Parse(Guard(() => File.ReadAllText(Path.Combine(_directory, name, AddressName)).Trim()));
        return address.IsSecured ? address with { TlsDirectory = Path.Combine(_directory, name) } : address;
    }

    /// <param name="tlsDirectory">Whose files are copied; null for an address that needs none.</param>
    /// <exception cref="CrashcartException">The name is taken, or the identity is not usable.</exception>
    public void Add(string name, CoordinatorAddress address, string? tlsDirectory)
    {
        if (!IsName(name))
            throw Wrong($"'{name}' is no name for a context: use up to 63 letters, digits and -_., beginning with a letter or digit.");
        if (Names.Contains(name))
            throw Wrong($"There is a context {name} already; remove it with 'crashcart context rm {name}', or choose another name.");
        if (tlsDirectory is not null)
            _ = ClientIdentity.Read(tlsDirectory);
        Guard(() =>
        {
            ClearAway();
            // Under another name until it is whole.
            var made = Directory.CreateDirectory(Path.Combine(_directory, $".{name}.{Environment.ProcessId}"), OwnerOnly).FullName;
            try
            {
                DurableFile.Replace(Path.Combine(made, AddressName), System.Text.Encoding.UTF8.GetBytes(address.Text + "\n"));
                foreach (var file in tlsDirectory is null ? [] : new[] { ClientIdentity.AuthorityName, ClientIdentity.CertificateName, ClientIdentity.KeyName })
                    DurableFile.Replace(Path.Combine(made, file), File.ReadAllBytes(Path.Combine(tlsDirectory!, file)));
                Directory.Move(made, Path.Combine(_directory, name));
            }
            catch
            {
                Directory.Delete(made, recursive: true);
                throw;
            }

            return true;
        });
    }

    /// <exception cref="CrashcartException">There is no such context.</exception>
    public void Use(string name)
    {
        Demand(name);
        Guard(() =>
        {
            DurableFile.Replace(_current, System.Text.Encoding.ASCII.GetBytes(name + "\n"));
            return true;
        });
    }

    /// <exception cref="CrashcartException">There is no such context.</exception>
    public void Remove(string name)
    {
        Demand(name);
        Guard(() =>
        {
            if (Current == name)
                File.Delete(_current);
            Directory.Delete(Path.Combine(_directory, name), recursive: true);
            return true;
        });
    }

    /// <summary>What was killed half-way has left a copy of a key.</summary>
    private void ClearAway()
    {
        if (!Directory.Exists(_directory))
            return;
        foreach (var begun in Directory.EnumerateDirectories(_directory, ".*"))
        {
            if (!Directory.Exists("/proc/" + Path.GetExtension(begun).TrimStart('.')))
                Directory.Delete(begun, recursive: true);
        }
    }

    private void Demand(string name)
    {
        if (!Names.Contains(name))
            throw Wrong($"There is no context '{name}': {(Names.Count > 0 ? $"there are {string.Join(", ", Names)}" : "make one with 'crashcart context add'")}.");
    }

    private static T Guard<T>(Func<T> work)
    {
        try
        {
            return work();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SyscallException)
        {
            throw Wrong($"Contexts cannot be read or written: {e.Message}", e);
        }
    }

    private static CrashcartException Wrong(string message, Exception? cause = null) => new(FailureReason.BadRequest, message, cause);
}
