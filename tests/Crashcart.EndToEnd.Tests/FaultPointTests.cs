using System.Text;
using Crashcart.EndToEnd.Tests.Harness;

namespace Crashcart.EndToEnd.Tests;

/// <summary>What the fault campaign needs in the programs is in no program that anybody gets.</summary>
public sealed class FaultPointTests
{
    /// <summary>Of the campaign's own builds: the variable, and one step of each part that has any.</summary>
    private static readonly string[] Traces =
        ["CRASHCART_FAULTS", "attach-device-found", "exec-guardian-started", "release-begun", "mount-locked", "enter-exec-guardian-born", "enter-attach-joined"];

    /// <summary>What both name: crashcart-enter calls a process so, and SessionCgroup looks for it.</summary>
    private const string Known = "crashcart-reap";

    [Fact]
    public void Published_programs_have_no_fault_points()
    {
        foreach (var program in (string[])[Artifacts.Cli, Artifacts.Node, Artifacts.Coordinator])
        {
            var bytes = File.ReadAllBytes(program);
            Assert.DoesNotContain(Traces, trace => Holds(bytes, trace));
            // The search does find what is there, in crashcart-enter and in managed code.
            Assert.True(bytes.AsSpan().IndexOf(Encoding.ASCII.GetBytes(Known)) >= 0, $"{program} is not searched rightly.");
            Assert.True(bytes.AsSpan().IndexOf(Encoding.Unicode.GetBytes(Known)) >= 0, $"{program} is not searched rightly.");
        }
    }

    private static bool Holds(ReadOnlySpan<byte> program, string text) =>
        program.IndexOf(Encoding.ASCII.GetBytes(text)) >= 0 || program.IndexOf(Encoding.Unicode.GetBytes(text)) >= 0;
}
