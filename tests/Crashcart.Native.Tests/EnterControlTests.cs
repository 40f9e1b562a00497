using System.Buffers.Binary;

namespace Crashcart.Native.Tests;

public sealed class EnterControlTests
{
    [Fact]
    public async Task What_crashcart_enter_said_last_is_heard_when_it_ended_without_reading_a_signal()
    {
        var (ours, theirs) = EnterControl.Create();
        using EnterControl control = ours;
        var exited = new byte[12];
        BinaryPrimitives.WriteInt32LittleEndian(exited, (int)EnterMessageKind.Exited);
        BinaryPrimitives.WriteInt32LittleEndian(exited.AsSpan(4), 129);

        control.SendSignal(15);
        theirs.Write(exited);
        theirs.Dispose();

        Assert.Equal((EnterMessageKind.Exited, 129), await control.ReceiveAsync() is { } message ? (message.Kind, message.A) : default);
        Assert.Null(await control.ReceiveAsync());
    }
}
