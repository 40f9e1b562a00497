using System.CommandLine;
using Crashcart.Coordinator.Hosting;
using Crashcart.Node.Configuration;

var reader = new SettingsReader(CoordinatorSettings.DefaultFile, CoordinatorSettings.Known);
var check = new Option<bool>("--check") { Description = "Read and check the settings, print what is in force, and end." };
var command = new RootCommand("The coordinator of a Crashcart fleet: serves clients, and finds and drives the nodes.") { check };
reader.AddTo(command);
command.SetAction(async flags =>
{
    try
    {
        Settings values = reader.Read(flags, Environment.GetEnvironmentVariable);
        CoordinatorSettings settings = CoordinatorSettings.From(values);
        if (flags.GetValue(check))
        {
            values.Print(Console.Out);
            return 0;
        }
        using ILoggerFactory logs = ConsoleLog.Create();
        return await new CoordinatorProcess(settings, logs).RunAsync();
    }
    catch (Exception e) when (e is SettingsException or IOException or UnauthorizedAccessException)
    {
        await Console.Error.WriteLineAsync($"crashcart-coordinator: {e.Message}");
        return 1;
    }
});
return await command.Parse(args).InvokeAsync();
