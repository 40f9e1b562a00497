using System.Globalization;

namespace Crashcart.EndToEnd.Tests.Harness;

/// <summary>A command in a real terminal, which is tmux's; what a person would see and press.</summary>
internal sealed class Terminal : IAsyncDisposable
{
    /// <summary>
    /// Leaves the command's exit status in the file $0: tmux does not always notice its end. An interrupt is the command's
    /// to answer, and its status is still to be written.
    /// </summary>
    private const string KeepStatus = "trap : INT; \"$@\"; echo $? >\"$0.new\"; mv \"$0.new\" \"$0\"";

    private readonly TemporaryDirectory _directory = TemporaryDirectory.Create();

    private Terminal()
    {
    }

    public static async Task<Terminal> Open(Command command, int columns = 100, int rows = 30)
    {
        var terminal = new Terminal();
        var environment = command.Environment.Where(pair => pair.Value != null).Select(pair => $"{pair.Key}={pair.Value}");
        await terminal.Tmux(
        [
            "new-session", "-d", "-x", Text(columns), "-y", Text(rows),
            "sh", "-c", KeepStatus, terminal._directory["status"], "env", .. environment, command.Program, .. command.Arguments, ";",
            "set-option", "-g", "remain-on-exit", "on",
        ]).Output();
        return terminal;
    }

    public Task Type(string text) => Tmux("send-keys", "-l", text).Output();

    /// <summary>A key by tmux's name for it: <c>Enter</c>, <c>C-c</c>.</summary>
    public Task Press(string key) => Tmux("send-keys", key).Output();

    public async Task Enter(string line)
    {
        await Type(line);
        await Press("Enter");
    }

    public Task Resize(int columns, int rows) =>
        Tmux("resize-window", "-x", Text(columns), "-y", Text(rows)).Output();

    /// <summary>All that it showed: tmux's own last line makes room for itself at the end.</summary>
    public Task<string> Screen() => Tmux("capture-pane", "-p", "-S", "-").Output();

    public async Task Shows(string text, TimeSpan? within = null)
    {
        var screen = "";
        await Eventually.Holds(
            async () => (screen = await Screen()).Contains(text, StringComparison.Ordinal),
            () => $"the terminal shows '{text}'; it shows\n{screen}",
            within);
    }

    /// <summary>Waits until it shows these rows and nothing else; blanks at the end of a row do not count.</summary>
    public async Task ShowsExactly(params string[] rows)
    {
        string[] shown = [];
        await Eventually.Holds(
            async () => (shown = await Rows()).SequenceEqual(rows),
            () => $"the terminal shows\n{string.Join('\n', rows)}\nand nothing else; it shows\n{string.Join('\n', shown)}");
    }

    /// <summary>Waits until the row, counted from 1, is the last one and begins with the text.</summary>
    public async Task EndsWithRow(int row, string text)
    {
        string[] shown = [];
        await Eventually.Holds(
            async () => (shown = await Rows()).Length == row && shown[^1].StartsWith(text, StringComparison.Ordinal),
            () => $"the terminal's row {row} is its last and begins with '{text}'; it shows\n{string.Join('\n', shown)}");
    }

    /// <summary>Whether a program has taken the whole screen and not given it back.</summary>
    public async Task<bool> IsFullScreen() => await Tmux("display-message", "-p", "#{alternate_on}").Output() == "1";

    /// <summary>Waits for the command's end; the answer is its exit status.</summary>
    public async Task<int> Exited()
    {
        await Eventually.Holds(() => File.Exists(_directory["status"]), "the command in the terminal ends");
        return int.Parse(await File.ReadAllTextAsync(_directory["status"]), CultureInfo.InvariantCulture);
    }

    public async ValueTask DisposeAsync()
    {
        await Tmux("kill-server").Run();
        await _directory.DisposeAsync();
    }

    private async Task<string[]> Rows() =>
        [.. (await Tmux("capture-pane", "-p").Output()).Split('\n').Select(row => row.TrimEnd(' '))];

    private Command Tmux(params string[] arguments) => new("tmux", ["-S", _directory["tmux"], "-f", "/dev/null", .. arguments]);

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
