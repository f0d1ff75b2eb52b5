"""The destinations. Each is one module with a class that satisfies `recost.delivery.transports.base.Transport`."""
