using Crashcart.Native;

namespace Crashcart.Cli.Configuration;

/// <summary>What is in force: the flag, else the environment, else a file, else the default. Files are read only when asked.</summary>
internal static class Settings
{
    private const string InstalledImage = "/var/lib/crashcart/crashcart.img";

    /// <summary>The toolbox image's path.</summary>
    /// <exception cref="CrashcartException">Nothing names one, and there is none in the usual places.</exception>
    public static string Image(string? flag)
    {
        if (Find(flag, "CRASHCART_IMAGE", "image") is { } named)
            return named;
        var beside = Path.Combine(AppContext.BaseDirectory, "crashcart.img");
        return File.Exists(InstalledImage) ? InstalledImage
            : File.Exists(beside) ? beside
            : throw new CrashcartException(
                FailureReason.NoImage,
                $"There is no toolbox image at {InstalledImage} or {beside}; "
                + "make one with 'crashcart image build', or name one with --image or CRASHCART_IMAGE.");
    }

    /// <summary>Where the coordinator is.</summary>
    /// <exception cref="CrashcartException">The address is malformed, would be plaintext over a network, or needs an identity that is nowhere; or there is no such context.</exception>
    public static CoordinatorAddress Coordinator(string? flag)
    {
        var said = NotEmpty(flag) ?? NotEmpty(Environment.GetEnvironmentVariable("CRASHCART_COORDINATOR")) ?? Contexts.Mine.Current
            ?? Find(null, "CRASHCART_COORDINATOR", "coordinator") ?? CoordinatorAddress.Default;
        if (Contexts.IsName(said) && !said.Contains(':', StringComparison.Ordinal))
            return Contexts.Mine.Address(said);
        var address = CoordinatorAddress.Parse(said);
        return !address.IsSecured ? address : address with
        {
            TlsDirectory = Find(null, "CRASHCART_TLS_DIR", "tls-dir") ?? throw new CrashcartException(
                FailureReason.BadRequest,
                $"The coordinator at {address.Text} must know who you are: add it with 'crashcart context add', or name the directory of your certificate in CRASHCART_TLS_DIR."),
        };
    }

    /// <summary>In how many containers a tool may run without a question; null when nothing says so.</summary>
    public static string? ConfirmAbove() => Find(null, "CRASHCART_CONFIRM_ABOVE", "confirm-above");

    private static string? Find(string? flag, string variable, string name) =>
        NotEmpty(flag)
        ?? NotEmpty(Environment.GetEnvironmentVariable(variable))
        ?? ConfigurationFile.Paths(Environment.GetEnvironmentVariable("HOME"))
            .Select(path => NotEmpty(ConfigurationFile.Read(path, name)))
            .FirstOrDefault(value => value is not null);

    private static string? NotEmpty(string? value) => string.IsNullOrEmpty(value) ? null : value;
}
