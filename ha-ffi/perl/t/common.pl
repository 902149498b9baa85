# What the tests have in common.
use v5.26;
use warnings;
use File::Basename qw(dirname);
use File::Spec;
use JSON::PP ();

our $ROOT = File::Spec->rel2abs(dirname(__FILE__) . '/../../..');

sub slurp {
    my ($path) = @_;
    open my $file, '<:raw', $path or die "$path: $!";
    local $/;
    return scalar <$file>;
}

sub vectors {
    my ($folder) = @_;
    return map { my ($name) = m{([^/]+)\.json\z}; [$name, JSON::PP::decode_json(slurp($_))] }
        sort glob "$ROOT/tests/vectors/$folder/*.json";
}

# Plain data, the same whichever JSON library made it.
sub plain { my ($value) = @_; state $json = JSON::PP->new->canonical->allow_nonref; return $json->decode($json->encode(_unbless($value))) }

sub _unbless {
    my ($value) = @_;
    return { map { $_ => _unbless($value->{$_}) } keys %$value } if ref $value eq 'HASH';
    return [map { _unbless($_) } @$value] if ref $value eq 'ARRAY';
    return $value ? JSON::PP::true() : JSON::PP::false() if ref $value && ref $value ne 'HASH' && ref $value ne 'ARRAY';
    return $value;
}

1;
