namespace Crashcart.Coordinator.Recordings;

/// <summary>A recording cannot be begun or gone on with; the message says why, without a full stop.</summary>
internal sealed class RecordingException(string message, Exception? inner = null) : Exception(message, inner);
