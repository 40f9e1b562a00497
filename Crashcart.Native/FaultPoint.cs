using System.Diagnostics;

namespace Crashcart.Native;

/// <summary>
/// The named steps of attach, exec and release at which the fault campaign ends, stops or fails a process. They are in
/// builds of the configuration FaultPoints only; any other build has neither the calls nor the names.
/// </summary>
/// <remarks>
/// CRASHCART_FAULTS names a directory. A file in it with the name of a step holds what is to happen there: <c>kill</c>,
/// <c>stop</c> or <c>error</c>. Whoever gets there first takes the file away, so that it happens once.
/// </remarks>
internal static class FaultPoint
{
    /// <summary>One of this process's own steps.</summary>
    [Conditional("FAULT_POINTS")]
    public static void Reach(string step)
    {
#if FAULT_POINTS
        switch (Take(step))
        {
            case "kill":
                _ = Tmds.Linux.LibC.kill(Environment.ProcessId, Tmds.Linux.LibC.SIGKILL);
                break;
            case "stop":
                _ = Tmds.Linux.LibC.kill(Environment.ProcessId, Tmds.Linux.LibC.SIGSTOP);
                break;
            case "error":
                throw new SyscallException(step, Tmds.Linux.LibC.EIO, "a fault point");
        }
#endif
    }

    /// <summary>The steps of a crashcart-enter that is about to be started: what is armed for one of them goes along.</summary>
    [Conditional("FAULT_POINTS")]
    public static void Arm(EnterRequest request, string mode)
    {
#if FAULT_POINTS
        if (Directory is null)
            return;
        foreach (string file in System.IO.Directory.EnumerateFiles(Directory, $"enter-{mode}-*"))
        {
            string step = Path.GetFileName(file);
            if (Take(step) is { } action)
            {
                request.Add("fault", $"{step}={action}");
                return;
            }
        }
#endif
    }

#if FAULT_POINTS
    private static readonly string? Directory = Environment.GetEnvironmentVariable("CRASHCART_FAULTS");

    private static string? Take(string step)
    {
        if (Directory is null)
            return null;
        string armed = Path.Join(Directory, step), taken = Path.Join(Directory, $"taken-{step}-{Environment.ProcessId}");
        try
        {
            File.Move(armed, taken);
            return File.ReadAllText(taken);
        }
        catch (IOException)
        {
            return null;
        }
    }
#endif
}
