using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Crashcart.Coordinator.Limits;

/// <summary>
/// Connections of whoever has not shown who he is. There is room for so many; beyond, the oldest of the address that has the most gives
/// way, so that a flood keeps nobody out, and least of all those who come from elsewhere.
/// </summary>
internal sealed class Arrivals(int room)
{
    /// <summary>Of an IPv6 address, for one host has many: its network.</summary>
    private const int NetworkBytes = 8;

    private readonly LinkedList<ConnectionContext> _waiting = [];

    /// <summary>Goes before TLS.</summary>
    public void Guard(ListenOptions listen) => listen.Use(next => connection => Admit(connection, next));

    /// <summary>It is known now whose the connection is.</summary>
    public void Forget(ConnectionContext connection)
    {
        lock (_waiting)
            _waiting.Remove(connection);
    }

    private async Task Admit(ConnectionContext connection, ConnectionDelegate next)
    {
        ConnectionContext? leaving = null;
        lock (_waiting)
        {
            if (_waiting.Count >= room)
            {
                leaving = _waiting.GroupBy(Origin).MaxBy(group => group.Count())!.First();
                _waiting.Remove(leaving);
            }
            _waiting.AddLast(connection);
        }
        leaving?.Abort(new ConnectionAbortedException("It did not show in time whose it is, and others came."));
        try
        {
            await next(connection);
        }
        finally
        {
            Forget(connection);
        }
    }

    private static string Origin(ConnectionContext connection) => (connection.RemoteEndPoint as IPEndPoint)?.Address switch
    {
        null => "",
        { AddressFamily: AddressFamily.InterNetworkV6, IsIPv4MappedToIPv6: false } address => Convert.ToHexString(address.GetAddressBytes(), 0, NetworkBytes),
        { } address => address.ToString(),
    };
}
