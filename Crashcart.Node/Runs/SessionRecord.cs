using System.Text;
using Crashcart.Actors.Protocol;
using Crashcart.Native;
using Google.Protobuf;
using Microsoft.Extensions.Logging;
using Microsoft.Win32.SafeHandles;

namespace Crashcart.Node.Runs;

/// <summary>
/// What is kept of one session: SESSION.record says what it is and how it ended, SESSION.output has the frames that a stream
/// would have carried, each behind its length. A record without an end is that of a tool that runs, or of a process that was
/// killed. The output grows at its end alone, so that what is there can be read at any time.
/// </summary>
internal sealed class SessionRecord
{
    public const string Suffix = ".record";

    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode RootOnlyDirectory = RootOnly | UnixFileMode.UserExecute;

    // As much as a record takes: the end is written also when the disk is full.
    private const int ReserveSize = 8192;

    private static readonly JsonParser Json = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    private readonly Lock _lock = new();
    private readonly KeptSession _session;
    private readonly string _path;
    private readonly ILogger _log;
    private SafeFileHandle? _output;
    private volatile TaskCompletionSource _changed = NewChange();
    private volatile SessionEnd? _end;
    private long _bytes;

    private SessionRecord(KeptSession session, string path, SafeFileHandle? output, ILogger log)
    {
        _session = session;
        _path = path;
        _output = output;
        _log = log;
    }

    public string SessionId => _session.SessionId;

    public string RunId => _session.RunId;

    /// <summary>Null while the tool runs.</summary>
    public SessionEnd? End => _end;

    /// <summary>Of output, as it is on the disk; whole frames.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Completes when there is more output, or the end. To be taken before one looks at these.</summary>
    public Task Changed => _changed.Task;

    /// <exception cref="IOException">The disk is full, and so on; then there is no record.</exception>
    public static SessionRecord Create(string directory, KeptSession session, ILogger log)
    {
        var run = Path.Combine(directory, session.RunId);
        Directory.CreateDirectory(directory, RootOnlyDirectory);
        Directory.CreateDirectory(run, RootOnlyDirectory);
        var path = Path.Combine(run, session.SessionId);
        SafeFileHandle? output = null;
        try
        {
            WriteReserve(path + ".reserve");
            output = File.OpenHandle(Output(path), FileMode.CreateNew, FileAccess.Write, FileShare.Read);
            File.SetUnixFileMode(output, RootOnly);
            DurableFile.Replace(path + Suffix, Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(session)));
            return new SessionRecord(session, path, output, log);
        }
        catch (IOException)
        {
            output?.Dispose();
            foreach (var file in Directory.GetFiles(run, session.SessionId + ".*"))
                File.Delete(file);
            throw;
        }
    }

    /// <exception cref="IOException">It cannot be read or understood.</exception>
    public static SessionRecord Load(string path, ILogger log)
    {
        var session = Json.Parse<KeptSession>(File.ReadAllText(path));
        var stem = path[..^Suffix.Length];
        if (session.SessionId != Path.GetFileName(stem) || session.RunId != Path.GetFileName(Path.GetDirectoryName(stem)))
            throw new InvalidDataException($"It is that of session {session.SessionId}.");
        var output = new FileInfo(Output(stem));
        return new SessionRecord(session, stem, output: null, log)
        {
            _bytes = output.Exists ? output.Length : 0,
            _end = session.End ?? new SessionEnd
            {
                ExitCode = 125,
                Failure = "The node stopped before the tool ended; what it had written until then is kept.",
                UnixMs = new DateTimeOffset(File.GetLastWriteTimeUtc(output.Exists ? output.FullName : path)).ToUnixTimeMilliseconds(),
            },
        };
    }

    public KeptSession Describe()
    {
        var described = _session.Clone();
        described.Bytes = Bytes;
        described.End = End;
        return described;
    }

    /// <summary>Bytes that the frame takes.</summary>
    public static int SizeOf(NodeFrame frame)
    {
        var size = frame.CalculateSize();
        return size + CodedOutputStream.ComputeLengthSize(size);
    }

    /// <summary>Returns when readers can see it.</summary>
    /// <exception cref="IOException">The disk is full or fails; what was there before is whole.</exception>
    public void Append(NodeFrame frame)
    {
        var bytes = new byte[SizeOf(frame)];
        using (var writer = new CodedOutputStream(bytes))
            writer.WriteMessage(frame);
        lock (_lock)
        {
            try
            {
                RandomAccess.Write(_output!, bytes, _bytes);
            }
            catch (IOException)
            {
                RandomAccess.SetLength(_output!, _bytes);
                throw;
            }

            Volatile.Write(ref _bytes, _bytes + bytes.Length);
        }

        TellReaders();
    }

    /// <summary>There is no more; the first end counts.</summary>
    public void Complete(SessionEnd end)
    {
        lock (_lock)
        {
            if (_output is null)
                return;
            try
            {
                RandomAccess.FlushToDisk(_output);
                File.Delete(_path + ".reserve");
                var ended = _session.Clone();
                ended.Bytes = _bytes;
                ended.End = end;
                DurableFile.Replace(_path + Suffix, Encoding.UTF8.GetBytes(JsonFormatter.Default.Format(ended)));
            }
            catch (IOException e)
            {
                RunsLog.EndNotWritten(_log, SessionId, e.Message);
            }

            _output.Dispose();
            _output = null;
            _end = end;
        }

        TellReaders();
    }

    /// <exception cref="IOException">It cannot be read.</exception>
    public SafeFileHandle OpenOutput() => File.OpenHandle(Output(_path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private void TellReaders() => Interlocked.Exchange(ref _changed, NewChange()).TrySetResult();

    private static string Output(string path) => path + ".output";

    private static TaskCompletionSource NewChange() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static void WriteReserve(string path)
    {
        using var reserve = File.OpenHandle(path, FileMode.Create, FileAccess.Write);
        File.SetUnixFileMode(reserve, RootOnly);
        RandomAccess.Write(reserve, new byte[ReserveSize], 0);
    }
}
