namespace Crashcart.Node.Runs;

/// <summary>Room on the disk for what all sessions that are kept write.</summary>
internal interface IOutputRoom
{
    /// <summary>All of it.</summary>
    long Budget { get; }

    /// <returns>False when there is none, and nothing that could give way.</returns>
    bool Take(int bytes);

    /// <summary>It was not used.</summary>
    void Return(int bytes);
}
