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
    /// <exception cref="CrashcartException">The address is malformed, or would be plaintext over a network.</exception>
    public static CoordinatorAddress Coordinator(string? flag) =>
        CoordinatorAddress.Parse(Find(flag, "CRASHCART_COORDINATOR", "coordinator") ?? CoordinatorAddress.Default);

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
