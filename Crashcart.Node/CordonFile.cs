using Crashcart.Actors.Node.Ports;

namespace Crashcart.Node;

/// <summary>A node is cordoned while there is a file of that name in its state directory.</summary>
internal sealed class CordonFile(string stateDirectory) : ICordon
{
    private const UnixFileMode RootOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    private readonly string _path = Path.Combine(stateDirectory, "cordoned");

    public bool IsSet => File.Exists(_path);

    public Task SetAsync(bool isSet) => Task.Run(() =>
    {
        try
        {
            if (!isSet)
            {
                if (Directory.Exists(stateDirectory))
                    File.Delete(_path);
                return;
            }

            Directory.CreateDirectory(stateDirectory, RootOnly);
            using var file = new FileStream(_path, FileMode.Create, FileAccess.Write);
            file.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new NodeException(NodeFailure.Failed, $"The node could not {(isSet ? "write" : "remove")} {_path}: {e.Message}", e);
        }
    });
}
