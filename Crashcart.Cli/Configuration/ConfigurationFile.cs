using Crashcart.Native;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Crashcart.Cli.Configuration;

/// <summary>A YAML file with one mapping of names to values. Names that are not asked for belong to other programs.</summary>
internal static class ConfigurationFile
{
    /// <summary>The files in order of precedence: the user's own, then the system's, the last name first.</summary>
    public static IEnumerable<string> Paths(string? home, string system = "/etc/crashcart")
    {
        if (!string.IsNullOrEmpty(home) && Path.Combine(home, ".config/crashcart/config.yaml") is var own && File.Exists(own))
            yield return own;
        if (!Directory.Exists(system))
            yield break;
        foreach (var path in Directory.GetFiles(system, "*.yaml").OrderDescending(StringComparer.Ordinal))
            yield return path;
    }

    /// <summary>The text of a top-level value, or null.</summary>
    /// <exception cref="CrashcartException">The file cannot be read, is not YAML, or the value is not a text.</exception>
    public static string? Read(string path, string name)
    {
        try
        {
            using var reader = File.OpenText(path);
            var parser = new Parser(reader);
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _) || !parser.TryConsume<MappingStart>(out _))
                return null;
            while (parser.TryConsume<Scalar>(out var key))
            {
                if (key.Value != name)
                {
                    parser.SkipThisAndNestedEvents();
                    continue;
                }

                return parser.TryConsume<Scalar>(out var value)
                    ? value.Value
                    : throw new CrashcartException(FailureReason.BadRequest, $"{path}:{key.Start.Line}: {name} is not a single value; write '{name}: VALUE'.");
            }

            return null;
        }
        catch (YamlException e)
        {
            throw new CrashcartException(
                FailureReason.BadRequest, $"{path}:{e.Start.Line}:{e.Start.Column}: not valid YAML: {e.Message.TrimEnd('.')}; correct the file.", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CrashcartException(FailureReason.BadRequest, $"The configuration cannot be read: {e.Message}", e);
        }
    }
}
