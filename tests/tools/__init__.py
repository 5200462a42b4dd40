"""What tests of several folders share: drawn data and fixtures, servers, browsers."""
