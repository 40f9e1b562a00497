namespace Crashcart.EndToEnd.Tests.Toolbox;

/// <summary>How a tool is started.</summary>
public enum Road
{
    /// <summary><c>crashcart exec</c>: with a session's environment and capabilities.</summary>
    CrashcartExec,

    /// <summary><c>docker exec</c> after <c>crashcart mount</c>: with the container's environment and capabilities.</summary>
    DockerExec,
}
