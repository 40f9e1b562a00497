using System.Globalization;
using System.Text;
using System.Text.Json;
using Crashcart.Native;

namespace Crashcart.Cli.Output.Runs;

/// <summary>
/// Files <c>NODE/CONTAINER.stdout</c>, <c>.stderr</c> and <c>.exit</c> with exact bytes, and <c>run.json</c> about all of them. A file has its name
/// when it is whole; until then it is <c>.NAME.partial</c>.
/// </summary>
internal sealed class DirectoryOutput : IRunOutput
{
    private readonly string _directory;
    private readonly HashSet<string> _taken = new(StringComparer.Ordinal);
    private readonly Dictionary<int, string> _paths = [];

    /// <exception cref="CrashcartException">The directory cannot be made.</exception>
    public DirectoryOutput(string directory)
    {
        _directory = directory;
        Try("make", directory, () => Directory.CreateDirectory(directory));
    }

    public void Add(IReadOnlyList<TargetCourse> targets)
    {
        foreach (var target in targets)
        {
            var (node, container) = (TargetFileName.Of(target.Node), TargetFileName.Of(target.Container));
            var path = Path.Combine(_directory, node, container);
            // The second of a name is the same container after a restart.
            for (var again = 2; !_taken.Add(path); again++)
                path = Path.Combine(_directory, node, string.Create(CultureInfo.InvariantCulture, $"{container}.{again}"));
            _paths[target.Number] = path;
            Try("make", path, () => Directory.CreateDirectory(Path.GetDirectoryName(path)!));
            foreach (var stream in (ReadOnlySpan<string>)["stdout", "stderr"])
                Append(Partial(path, stream), [], FileMode.Create);
        }
    }

    public void Write(TargetCourse target, bool isError, ReadOnlySpan<byte> data) =>
        Append(Partial(_paths[target.Number], isError ? "stderr" : "stdout"), data, FileMode.Append);

    public void End(TargetCourse target)
    {
        var path = _paths[target.Number];
        foreach (var stream in (ReadOnlySpan<string>)["stdout", "stderr"])
        {
            var (partial, whole) = (Partial(path, stream), $"{path}.{stream}");
            Try("write", whole, () => File.Move(partial, whole, overwrite: true));
        }

        if (target.GoesOn)
            Try("remove", $"{path}.exit", () => File.Delete($"{path}.exit"));
        else
            Replace($"{path}.exit", Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{target.ExitCode}\n")));
    }

    public void Finish(RunProgress run, int status)
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true }))
            Describe(run, status, json);
        text.Write("\n"u8);
        Replace(Path.Combine(_directory, "run.json"), text.ToArray());
    }

    private void Describe(RunProgress run, int status, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("run_id", run.RunId);
        json.WriteString("began", run.Began);
        json.WriteString("ended", run.Now);
        json.WriteNumber("exit_code", status);
        json.WriteStartArray("targets");
        foreach (var target in run.Targets)
        {
            json.WriteStartObject();
            json.WriteString("node", target.Node);
            json.WriteString("container", target.Container);
            json.WriteString("files", Path.GetRelativePath(_directory, _paths[target.Number]));
            if (target.GoesOn)
                json.WriteBoolean("running", true);
            else
                json.WriteNumber("exit_code", target.ExitCode);
            if (target.Failure is { } failure)
                json.WriteString("failure", failure);
            if (target.Note.Length > 0)
                json.WriteString("reason", target.Note);
            json.WriteNumber("stdout_bytes", target.OutputBytes);
            json.WriteNumber("stderr_bytes", target.ErrorBytes);
            json.WriteNumber("seconds", Math.Round(target.Took(run.Now).TotalSeconds, 3));
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Partial(string path, string stream) =>
        Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.{stream}.partial");

    private static void Replace(string path, byte[] contents)
    {
        var partial = Path.Combine(Path.GetDirectoryName(path)!, $".{Path.GetFileName(path)}.partial");
        Append(partial, contents, FileMode.Create);
        Try("write", path, () => File.Move(partial, path, overwrite: true));
    }

    /// <summary>Opened for each piece: a run may have more targets than a process may have files.</summary>
    private static void Append(string path, ReadOnlySpan<byte> data, FileMode mode)
    {
        try
        {
            using var file = new FileStream(path, mode, FileAccess.Write, FileShare.Read, bufferSize: 0);
            file.Write(data);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed("write", path, e);
        }
    }

    private static void Try(string verb, string path, Action act)
    {
        try
        {
            act();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Failed(verb, path, e);
        }
    }

    private static CrashcartException Failed(string verb, string path, Exception e) =>
        new(FailureReason.System, $"Cannot {verb} '{SafeText.Of(path)}': {e.Message.TrimEnd('.')}; the run was ended, and what is whole of its output stays.", e);
}
