namespace Crashcart.Actors.Policies;

/// <summary>A policy is wrong; the message begins with FILE:LINE:COLUMN.</summary>
public sealed class PolicyException(string message) : Exception(message);
