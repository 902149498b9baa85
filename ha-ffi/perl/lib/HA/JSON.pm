package HA::JSON;

# JSON, by whichever library there is.

use v5.26;
use warnings;

my $class = eval { require JSON::XS; 'JSON::XS' } // do { require JSON::PP; 'JSON::PP' };
my $json  = $class->new->utf8->canonical->allow_nonref;

sub decode { return $json->decode($_[0]) }
sub encode { return $json->encode($_[0]) }
sub decode_if_any { my ($text) = @_; return defined $text && length $text ? decode($text) : undef }

1;
