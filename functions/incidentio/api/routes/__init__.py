"""Routes by what they are about; each module offers `routes(api)`."""
