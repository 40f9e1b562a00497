namespace Crashcart.Native.Tests.Hostile;

/// <summary>A cgroup with a container in it, as its runtime would have made it. Gone at the end, and the container with it.</summary>
public sealed class ContainerCgroup : IDisposable
{
    private readonly TestContainer _container;

    /// <param name="hierarchy">Its mount point.</param>
    public ContainerCgroup(TestContainer container, string hierarchy)
    {
        _container = container;
        Directory = $"{hierarchy}/crashcart-test-{Guid.NewGuid():n}";
        System.IO.Directory.CreateDirectory(Directory);
        Write("cgroup.procs", $"{container.Pid}");
    }

    public string Directory { get; }

    public void Write(string file, string value) => File.WriteAllText($"{Directory}/{file}", value);

    public void Dispose()
    {
        _container.Kill();
        Eventually.Holds(TryRemove, $"{Directory} is empty");
    }

    private bool TryRemove()
    {
        try
        {
            System.IO.Directory.Delete(Directory);
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
