"""What everything of one kind must do: each client, each transport. A new one is named here, and tested."""
