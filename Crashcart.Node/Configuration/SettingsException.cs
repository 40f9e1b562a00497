namespace Crashcart.Node.Configuration;

/// <summary>A setting is not usable; the message is for a person and says where the value came from.</summary>
public sealed class SettingsException(string message, Exception? inner = null) : Exception(message, inner);
