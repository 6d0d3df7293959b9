"""The example region: fictional facilities, drawn pictures, real commands."""
